package config

import (
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// New returns the parser of a command with the grammar cli. Every setting also has a variable MODERATOR_<FLAG>.
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

// prefix begins the environment variable of each setting.
const prefix = "MODERATOR_"

// isSetting tells settings, which are in groups, from flags of one call, such as --reason, --yes or --version. These have
// no variable and no key in the file, which would apply to later calls too.
func isSetting(flag *kong.Flag) bool { return flag.Group != nil || flag.Name == fileFlag }

// fileFlag names the configuration file.
const fileFlag = "config"

func addVariables(k *kong.Kong) error {
	return kong.Visit(k.Model, func(v kong.Visitable, next kong.Next) error {
		if flag, ok := v.(*kong.Flag); ok && isSetting(flag) {
			flag.Envs = []string{prefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))}
			flag.Value.Tag.Envs = flag.Envs
		}
		return next(nil)
	})
}

// File is a flag with the path of a configuration file. kong calls it before it resolves the other flags.
type File string

// BeforeResolve reads the file. Its values apply to settings that neither a flag nor a variable sets.
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

// fileResolver resolves flags from the file. The environment has precedence.
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

// checkKeys refuses unknown keys, because a misspelt setting would have no effect.
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
	return fmt.Errorf("configuration file %s: unknown key %s: docs/configuration.md lists the keys", path, strings.Join(unknown, ", "))
}

// settings returns the settings of a command and its subcommands, each name once.
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

// Changed returns the names of the settings of a command whose values differ between two parsings.
func Changed(before, after *kong.Node) (names []string) {
	values := map[string]any{}
	for _, flag := range settings(before) {
		values[flag.Name] = flag.Target.Interface()
	}
	for _, flag := range settings(after) {
		if !reflect.DeepEqual(values[flag.Name], flag.Target.Interface()) {
			names = append(names, flag.Name)
		}
	}
	return names
}
