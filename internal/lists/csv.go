package lists

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
)

// columns are the names of a CSV list's columns, in their order.
type columns []string

// row parses one line; a field of several lines is not supported, as one bad quote would then cost all that follows.
// Names of files that hold commas, which hashing tools print as they are, are put together again.
func (c columns) row(text string) (map[string]string, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.LazyQuotes = true
	fields, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("no line of CSV: %w", err)
	}
	if last := len(c) - 1; len(fields) > len(c) && c[last] == "filename" {
		fields = append(fields[:last:last], strings.Join(fields[last:], ","))
	}
	if len(fields) != len(c) {
		return nil, fmt.Errorf("it has %d columns, wanted are %d: %s", len(fields), len(c), strings.Join(c, ","))
	}
	row := map[string]string{}
	for i, name := range c {
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
	if slices.Contains(c, "quality") {
		kind = string(TypePDQ) // no other hash has one
		if quality, err = parseQuality(row["quality"]); err != nil {
			return Flag{}, err
		}
	}
	f, err := hashed(row["hash"], kind, quality, bare)
	f.Source = row["filename"]
	return f, err
}

// confirmed are the categories of signals that people have confirmed. The others are false positives and mere hints.
var confirmed = []string{"TRUE_POSITIVE", "POSITIVE_CLASS"}

// exchangeLine parses a line of `tx dataset --csv`.
func (c columns) exchangeLine(text string, _ HashType) (Flag, error) {
	row, err := c.row(text)
	if err != nil {
		return Flag{}, err
	}
	if category := row["category"]; slices.Contains(c, "category") && !slices.Contains(confirmed, category) {
		return Flag{}, skip("category %.40q, flagged is only what is confirmed (%s)", category, strings.Join(confirmed, ", "))
	}
	f, err := hashed(row["signal_str"], row["signal_type"], unknownQuality, "")
	f.Source, f.Note = row["collab"], row["tags"]
	return f, err
}

// headerColumns are the columns that a header names, or nil where the line is none.
func headerColumns(text string) columns {
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil
	}
	for i := range fields {
		fields[i] = strings.ToLower(strings.TrimSpace(fields[i]))
	}
	if slices.Contains(fields, "hash") || slices.Contains(fields, "signal_type") && slices.Contains(fields, "signal_str") {
		return fields
	}
	return nil
}
