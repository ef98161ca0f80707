package config

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// New makes the parser of a command whose grammar is cli. Every setting can be made by MODERATOR_<FLAG> too.
func New(cli any, name, description string, stdout, stderr io.Writer, extra ...kong.Option) (*kong.Kong, error) {
	options := append([]kong.Option{
		kong.Name(name),
		kong.Description(description),
		kong.Vars{"data_dir": DefaultDataDir()},
		kong.PostBuild(addVariables),
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.ShortUsageOnError(),
	}, extra...)
	return kong.New(cli, options...)
}

// prefix is that of all settings' environment variables.
const prefix = "MODERATOR_"

// isSetting tells settings, which are in groups, from what one call of a command is told to do, such as --reason, --yes or
// --version. Those have neither a variable nor a key in the file: they would hold for calls that nobody meant.
func isSetting(flag *kong.Flag) bool { return flag.Group != nil || flag.Name == fileFlag }

// fileFlag names the configuration file.
const fileFlag = "config"

// addVariables gives each setting its environment variable.
func addVariables(k *kong.Kong) error {
	return kong.Visit(k.Model, func(v kong.Visitable, next kong.Next) error {
		if flag, ok := v.(*kong.Flag); ok && isSetting(flag) {
			flag.Envs = []string{prefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))}
			flag.Value.Tag.Envs = flag.Envs
		}
		return next(nil)
	})
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
		if !ok || !isSetting(flag) {
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

// checkKeys refuses keys that no setting has: a misspelt setting would be silently without effect.
func checkKeys(path string, values map[string]any, app *kong.Application) error {
	known := map[string]bool{}
	for _, flag := range settings(app.Node) {
		known[flag.Name] = flag.Name != fileFlag
	}
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !known[key] {
			unknown = append(unknown, key+didYouMean(key, known))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return fmt.Errorf("configuration file %s: unknown key %s: docs/configuration.md lists the keys, they are the settings' names", path, strings.Join(unknown, ", "))
}

// settings are those of a command and of everything below it, each name once.
func settings(node *kong.Node) []*kong.Flag {
	var all []*kong.Flag
	seen := map[string]bool{}
	_ = kong.Visit(node, func(v kong.Visitable, next kong.Next) error {
		if flag, ok := v.(*kong.Flag); ok && !seen[flag.Name] && !flag.Hidden && isSetting(flag) {
			seen[flag.Name] = true
			all = append(all, flag)
		}
		return next(nil)
	})
	return all
}
