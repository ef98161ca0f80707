package hashlist

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
)

// columns are the names of a CSV list's columns in order, and their separator.
type columns struct {
	names []string
	comma rune
}

// commas are the separators; spreadsheets in many languages write semicolons.
var commas = []rune{',', ';', '\t'}

// row parses one line. A field cannot have several lines: one bad quote would then spoil the rest of the list. Hashing tools
// print file names without quotes, so the last field may hold separators.
func (c columns) row(text string) (map[string]string, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.LazyQuotes, r.Comma = true, c.comma
	fields, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("not a line of CSV: %w", err)
	}
	if last := len(c.names) - 1; len(fields) > len(c.names) && c.names[last] == "filename" {
		fields = append(fields[:last:last], strings.Join(fields[last:], string(c.comma)))
	}
	if len(fields) != len(c.names) {
		return nil, fmt.Errorf("it has %d columns, wanted %d: %s", len(fields), len(c.names), strings.Join(c.names, string(c.comma)))
	}
	row := map[string]string{}
	for i, name := range c.names {
		row[name] = strings.TrimSpace(fields[i])
	}
	return row, nil
}

// hashLine parses a line of "hash,quality,filename" or "hash,filename".
func (c columns) hashLine(text string, bare HashType) (Flag, error) {
	row, err := c.row(text)
	if err != nil {
		return Flag{}, err
	}
	kind, quality := "", unknownQuality
	if slices.Contains(c.names, "quality") {
		kind = string(TypePDQ) // only PDQ hashes have a quality
		if quality, err = parseQuality(row["quality"]); err != nil {
			return Flag{}, err
		}
	}
	f, err := hashed(row["hash"], kind, quality, bare)
	f.Source = row["filename"]
	return f, err
}

// confirmed are the categories of signals that people have confirmed. Other signals are false positives or hints.
var confirmed = []string{"TRUE_POSITIVE", "POSITIVE_CLASS"}

// exchangeLine parses a line of `tx dataset --csv`.
func (c columns) exchangeLine(text string, _ HashType) (Flag, error) {
	row, err := c.row(text)
	if err != nil {
		return Flag{}, err
	}
	if category := strings.ToUpper(row["category"]); slices.Contains(c.names, "category") && !slices.Contains(confirmed, category) {
		return Flag{}, skip("category %.40q: only confirmed signals are flagged (%s)", category, strings.Join(confirmed, ", "))
	}
	f, err := hashed(row["signal_str"], row["signal_type"], unknownQuality, "")
	f.Source, f.Note = row["collab"], row["tags"]
	return f, err
}

// headerColumns returns the columns that a header names; ok is false if the line is not a header.
func headerColumns(text string) (c columns, ok bool) {
	for _, comma := range commas {
		r := csv.NewReader(strings.NewReader(text))
		r.Comma = comma
		fields, err := r.Read()
		if err != nil {
			continue
		}
		for i := range fields {
			fields[i] = strings.ToLower(strings.TrimSpace(fields[i]))
		}
		if slices.Contains(fields, "hash") || slices.Contains(fields, "signal_type") && slices.Contains(fields, "signal_str") {
			return columns{fields, comma}, true
		}
	}
	return columns{}, false
}

// unnamedColumns returns the columns of a hash CSV without a header, and its first hash; ok is false for any other line.
func unnamedColumns(first string) (c columns, hash string, ok bool) {
	for _, comma := range commas {
		fields := strings.SplitN(first, string(comma), 3)
		if len(fields) < 2 || !looksHashed(fields[0]) {
			continue
		}
		if _, err := parseQuality(strings.TrimSpace(fields[1])); err == nil && len(fields) == 3 {
			return columns{[]string{"hash", "quality", "filename"}, comma}, fields[0], true
		}
		return columns{[]string{"hash", "filename"}, comma}, fields[0], true
	}
	return columns{}, "", false
}
