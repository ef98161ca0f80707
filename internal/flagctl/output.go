package flagctl

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// print writes value as JSON, or the rows as a table under the header, as --output says.
func (c *cli) print(value any, header string, rows [][]string) error {
	if c.Output == "json" {
		encoder := json.NewEncoder(c.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	if header != "" && len(rows) > 0 {
		fmt.Fprintln(w, header)
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = printable(cell)
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// printable keeps control characters of file names and notes, which are hostile input, off the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '�'
		}
		return r
	}, text)
}

func number(v float64) string { return fmt.Sprintf("%.4f", v) }

func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// plural is "1 picture", "3 pictures".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
