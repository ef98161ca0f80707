package flagctl

import (
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

const (
	columnGap   = 2  // spaces between two columns
	leastColumn = 12 // cells to which a column of paths is shortened at most
)

// table aligns the columns of rows by the width that their characters take on a terminal, most cells wide. If it does not fit,
// the widest column that has paths or URLs is shortened. A width of 0 is unlimited.
func table(rows [][]string, width int) string {
	var widths []int
	var paths []bool
	for _, row := range rows {
		for i, cell := range row {
			row[i] = printable(cell)
			if i == len(widths) {
				widths, paths = append(widths, 0), append(paths, false)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(row[i]))
			paths[i] = paths[i] || strings.Contains(cell, "/")
		}
	}
	if width > 0 {
		shorten(rows, widths, paths, width)
	}
	var out strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += runewidth.FillRight(cell, widths[i]+columnGap)
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

// shorten cuts the cells of the widest column of paths to what the other columns leave of the width.
func shorten(rows [][]string, widths []int, paths []bool, width int) {
	widest, left := -1, width-columnGap*(len(widths)-1)
	for i, w := range widths {
		left -= w
		if paths[i] && (widest < 0 || w > widths[widest]) {
			widest = i
		}
	}
	if left >= 0 || widest < 0 {
		return
	}
	most := max(widths[widest]+left, leastColumn)
	for _, row := range rows {
		if widest < len(row) {
			row[widest] = shortened(row[widest], most)
		}
	}
	widths[widest] = min(most, widths[widest])
}

// shortened cuts a path at its beginning, as its end tells files apart, and other text at its end.
func shortened(text string, most int) string {
	excess := runewidth.StringWidth(text) - most
	switch {
	case excess <= 0:
		return text
	case strings.Contains(text, "/"):
		return runewidth.TruncateLeft(text, excess+runewidth.StringWidth("…"), "…")
	}
	return runewidth.Truncate(text, most, "…")
}

// terminalWidth returns the cells of a line of the terminal that out is, and 0 if it is none. As elsewhere, COLUMNS wins.
func terminalWidth(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0
	}
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}
