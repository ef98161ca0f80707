package flagctl

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"moderator/internal/matchdb"
)

// sentence returns a change of the library in words, such as "alice retracted holiday.jpg in bank spam: wrong picture".
func sentence(ch matchdb.Change, names matchdb.Names) string {
	text := who(ch) + " " + deed(ch, names)
	if ch.Reason != "" {
		text += ": " + ch.Reason
	}
	return text
}

// who returns the person, and the database user where its name differs.
func who(ch matchdb.Change) string {
	if ch.By == "" || ch.By == ch.User {
		return ch.User
	}
	return ch.By + " (" + ch.User + ")"
}

// deed returns the sentence's verb and object.
func deed(ch matchdb.Change, names matchdb.Names) string {
	row := ch.After
	if row == nil {
		row = ch.Before
	}
	verb := what(ch)
	text := func(column string) string { return column + " " + value(row[column]) }
	bank := "bank " + nameOf(names.Banks, row["bank_id"])
	switch ch.Table {
	case "flagged_image":
		return flagDeed(verb, ch) + " in " + bank
	case "quarantine":
		if verb == "put in quarantine" {
			return fmt.Sprintf("put flag %s in quarantine", ch.RowID) // the reason says how many uploads it blocked
		}
		return fmt.Sprintf("released flag %s from quarantine", ch.RowID)
	case "allowed_image":
		switch verb {
		case "allowed":
			return "allowed " + pictureOf(row)
		case "no longer allowed":
			return "took " + pictureOf(row) + " off the allow-list"
		}
		return "added signals to the allowed picture " + pictureOf(row)
	case "bank":
		return bankDeed(verb, ch)
	case "bank_threshold":
		if ch.After == nil {
			return "removed the thresholds of " + bank
		}
		return fmt.Sprintf("set the thresholds of %s for model %s: %s, %s", bank, nameOf(names.Models, row["model_id"]), text("block_at"), text("review_at"))
	case "model":
		if verb == "model registered" {
			return "registered model " + value(row["name"])
		}
		return "changed model " + value(row["name"]) + changedColumns(ch)
	case "review":
		return reviewDeed(ch, row)
	case "exchange":
		return exchangeDeed(ch, row)
	}
	return ch.Action + " " + ch.Table + " " + ch.RowID + changedColumns(ch)
}

func flagDeed(verb string, ch matchdb.Change) string {
	switch verb {
	case "flagged":
		if n, together := ch.After["flags"].(float64); together {
			return "flagged " + plural(int(n), "picture")
		}
		return verb + " " + pictureOf(ch.After)
	case "retracted", "restored":
		return verb + " " + pictureOf(ch.After)
	case "forgotten":
		return "forgot a flag that its exchange withdrew,"
	}
	if columns := changedColumns(ch); columns != "" {
		return "changed the flag of " + pictureOf(ch.After) + columns
	}
	return "added signals to " + pictureOf(ch.After)
}

func bankDeed(verb string, ch matchdb.Change) string {
	name := value(ch.After["name"])
	was := value(ch.Before["name"])
	switch {
	case verb == "bank added":
		return "added bank " + name
	case verb == "bank removed":
		return "removed bank " + was
	case was != name:
		return "renamed bank " + was + " to " + name
	case verb == "bank enabled":
		return "enabled bank " + name
	case verb == "bank disabled":
		return "disabled bank " + name
	}
	return "changed bank " + name + changedColumns(ch)
}

func reviewDeed(ch matchdb.Change, row map[string]any) string {
	verdict, upload := value(row["verdict"]), "upload "+value(row["upload_id"])
	switch {
	case ch.Action != "insert" && row["taken_back_at"] != nil:
		return "took back " + verdict + " on " + upload
	case ch.Action != "insert":
		return "changed the review of " + upload + changedColumns(ch)
	case verdict == "again":
		return "had " + upload + " judged again"
	}
	return "decided " + verdict + " on " + upload
}

func exchangeDeed(ch matchdb.Change, row map[string]any) string {
	name := "exchange " + value(row["name"])
	switch {
	case ch.Action == "insert":
		return "added " + name
	case ch.Action == "delete":
		return "removed " + name
	case ch.Before["enabled"] == ch.After["enabled"]:
		return "changed " + name + changedColumns(ch)
	case ch.After["enabled"] == true:
		return "enabled " + name
	}
	return "disabled " + name
}

// pictureOf names a picture by its source.
func pictureOf(row map[string]any) string {
	if source, ok := row["source"].(string); ok && source != "" {
		return source
	}
	return "a picture without a source"
}

// nameOf returns the name of the row that a column refers to, or its number.
func nameOf(names map[int]string, id any) string {
	if number, ok := id.(float64); ok && names[int(number)] != "" {
		return names[int(number)]
	}
	return value(id)
}

// changedColumns lists the columns that an update changed, in parentheses.
func changedColumns(ch matchdb.Change) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(ch.After)) {
		if before, after := ch.Before[name], ch.After[name]; ch.Before != nil && !reflect.DeepEqual(before, after) {
			parts = append(parts, fmt.Sprintf("%s %s → %s", name, value(before), value(after)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// value prints a column of the audit log.
func value(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
