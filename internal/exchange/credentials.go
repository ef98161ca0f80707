package exchange

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moderator/internal/config"
)

// credentials are lines of "name: value". They come from the environment or from the file of the exchange's name in a folder.
type credentials struct {
	from   string // where to correct them
	values map[string]string
}

func variable(exchange string) string {
	return config.ExchangeVariable + strings.ToUpper(strings.ReplaceAll(exchange, "-", "_"))
}

// readCredentials returns the credentials of the exchange. Its errors quote nothing of them. They are sent to hosts of the programme
// only, or to the root that they name themselves in a line "url": whoever may add an exchange cannot have them sent elsewhere.
func readCredentials(exchange, dir string, p programme, root *url.URL) (c credentials, err error) {
	c = credentials{from: variable(exchange), values: map[string]string{}}
	text := os.Getenv(c.from)
	if text == "" && dir != "" {
		file := filepath.Join(dir, exchange)
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c, fmt.Errorf("its credentials cannot be read: %w", err)
		}
		if err == nil {
			c.from, text = file, string(data)
		}
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return c, fmt.Errorf("its credentials in %s have a line without a colon, wanted lines of name: value", c.from)
		}
		c.values[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	for _, name := range p.credentials {
		if c.values[name] == "" {
			return c, fmt.Errorf("its credentials lack %q: write lines of %s to the file %s in the folder of --exchange-credentials, or to the variable %s",
				name, strings.Join(quoted(p.credentials), ", "), exchange, variable(exchange))
		}
	}
	if len(c.values) > 0 && !slices.Contains(p.hosts, root.Host) && c.values["url"] != root.String() {
		return c, fmt.Errorf("its credentials are not for %s: if it may get them, add the line \"url: %s\" to %s", root.Host, root, c.from)
	}
	return c, nil
}

func quoted(names []string) (all []string) {
	for _, name := range names {
		all = append(all, `"`+name+`: …"`)
	}
	return all
}
