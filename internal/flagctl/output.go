package flagctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// print writes value as JSON, or the rows as a table under the header, as --output says.
func (c *cli) print(value any, header string, rows [][]string) error {
	if c.Output == "json" {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(value); err != nil {
			return err
		}
		_, err := io.WriteString(c.stdout, escaped(text.String()))
		return err
	}
	if header != "" && len(rows) > 0 {
		rows = append([][]string{strings.Split(header, "\t")}, rows...)
	}
	_, err := io.WriteString(c.stdout, table(rows, terminalWidth(c.stdout)))
	return err
}

// printable replaces characters that move or hide text on a terminal. File names and notes are hostile input.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || invisible(r) {
			return '�'
		}
		return r
	}, text)
}

// invisible reports characters that change the direction of text, such as U+202E, break lines or show nothing. Joiners of
// letters and emoji are visible in this sense.
func invisible(r rune) bool {
	const nonJoiner, joiner = 0x200c, 0x200d
	return r != nonJoiner && r != joiner && unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// escaped escapes the invisible characters of JSON. Characters below U+0020 are escaped already.
func escaped(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case invisible(r) && r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		case invisible(r) || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// printableError is an error whose lines are printable. It wraps the error.
type printableError struct{ error }

func (e printableError) Error() string {
	lines := strings.Split(e.error.Error(), "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

func (e printableError) Unwrap() error { return e.error }

func number(v float64) string { return fmt.Sprintf("%.4f", v) }

func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// plural returns "1 picture" or "3 pictures".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
