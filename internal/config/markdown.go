package config

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// Markdown returns a table of a command's settings for each group.
func Markdown(app *kong.Application) string {
	var groups []string
	rows := map[string][]*kong.Flag{}
	for _, flag := range settings(app.Node) {
		group := "General"
		if flag.Group != nil {
			group = flag.Group.Title
		}
		if rows[group] == nil {
			groups = append(groups, group)
		}
		rows[group] = append(rows[group], flag)
	}
	var b strings.Builder
	for _, group := range groups {
		fmt.Fprintf(&b, "### %s\n\n| flag and key | environment | default | what it sets |\n|---|---|---|---|\n", group)
		for _, flag := range rows[group] {
			fmt.Fprintf(&b, "| `--%s` | %s | %s | %s |\n", flag.Name, variables(flag), defaultOf(flag), cell(flag.Help))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func variables(flag *kong.Flag) string {
	if len(flag.Envs) == 0 {
		return ""
	}
	return "`" + strings.Join(flag.Envs, "`, `") + "`"
}

func defaultOf(flag *kong.Flag) string {
	switch {
	case flag.Name == "data-dir": // depends on the user
		return "`/var/lib/moderator` for root, else `~/.local/share/moderator`"
	case flag.Default == "":
		return ""
	}
	return "`" + flag.Default + "`"
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
