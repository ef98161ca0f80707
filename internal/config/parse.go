package config

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// New makes the parser of a command whose grammar is cli. Every flag can be set by MODERATOR_<FLAG> too.
func New(cli any, name, description string, stdout, stderr io.Writer, extra ...kong.Option) (*kong.Kong, error) {
	options := append([]kong.Option{
		kong.Name(name),
		kong.Description(description),
		kong.Vars{"data_dir": DefaultDataDir()},
		kong.DefaultEnvars("MODERATOR"),
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.ShortUsageOnError(),
	}, extra...)
	return kong.New(cli, options...)
}

// File is the path of a configuration file, as a flag: kong calls it before the other flags are resolved.
type File string

// BeforeResolve reads the file, so that its values stand in for flags that nothing else sets.
func (f File) BeforeResolve(k *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	path := string(ctx.FlagValue(trace.Flag).(File))
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(data, &values); err != nil {
		return fmt.Errorf("configuration file %s is not YAML: %w", path, err)
	}
	if err := checkKeys(path, values, k.Model); err != nil {
		return err
	}
	ctx.AddResolver(fileResolver(values))
	return nil
}

// fileResolver gives the file's values; the environment goes before it.
func fileResolver(values map[string]any) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, env := range flag.Envs {
			if _, set := os.LookupEnv(env); set {
				return nil, nil
			}
		}
		value, ok := values[flag.Name]
		if !ok {
			return nil, nil
		}
		switch v := value.(type) {
		case map[string]any, nil:
			return nil, fmt.Errorf("the configuration file gives %v, wanted a value or a list", v)
		case []any:
			texts := make([]string, len(v))
			for i, element := range v {
				texts[i] = fmt.Sprint(element)
			}
			return strings.Join(texts, ","), nil
		}
		return fmt.Sprint(value), nil
	})
}

// checkKeys refuses keys that no flag has: a misspelt setting would be silently without effect.
func checkKeys(path string, values map[string]any, app *kong.Application) error {
	known := map[string]bool{}
	for _, flag := range flags(app.Node) {
		known[flag.Name] = true
	}
	var unknown []string
	for key := range values {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	sort.Strings(unknown)
	return fmt.Errorf("configuration file %s: unknown key %s: docs/configuration.md lists the keys, they are the flags' names", path, strings.Join(unknown, ", "))
}

// flags are those of a command and of everything below it, each name once.
func flags(node *kong.Node) []*kong.Flag {
	var all []*kong.Flag
	seen := map[string]bool{}
	_ = kong.Visit(node, func(v kong.Visitable, next kong.Next) error {
		if flag, ok := v.(*kong.Flag); ok && !seen[flag.Name] && !flag.Hidden && flag.Name != "help" {
			seen[flag.Name] = true
			all = append(all, flag)
		}
		return next(nil)
	})
	return all
}
