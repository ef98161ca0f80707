package doccheck

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

var (
	fence    = regexp.MustCompile("(?ms)^\\s*```.*?^\\s*```")
	inline   = regexp.MustCompile("`[^`\n]*`")
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	linkText = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	// notSlug is what GitHub drops from a heading for its anchor.
	notSlug = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
	// page is a page that code, scripts and manifests name, with its section where they give one.
	page    = regexp.MustCompile(`\bdocs/[a-z0-9/-]+\.md(#[a-z0-9-]+)?`)
	setting = regexp.MustCompile("`--([a-z][a-z-]+)")
	// source is a folder or file of the repository that a page names.
	source = regexp.MustCompile("`((?:cmd|deploy|examples|internal|migrations|models|scripts|tools)/[A-Za-z0-9_./-]*)`")
)

// Every link between pages leads to a file, and to a section where it names one.
func TestLinksLeadSomewhere(t *testing.T) {
	links := 0
	for _, file := range files(t, ".md") {
		text := inline.ReplaceAllString(fence.ReplaceAllString(read(t, file), ""), "")
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target := found[1]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			links++
			name, anchor, _ := strings.Cut(target, "#")
			leadsTo := file
			if name != "" {
				leadsTo = path.Join(path.Dir(file), name)
			}
			requireSection(t, file, leadsTo, anchor)
		}
	}
	require.NotZero(t, links)
}

// Every page that code, scripts or manifests send a reader to is there.
func TestPagesThatAreNamedExist(t *testing.T) {
	for _, file := range files(t, ".go", ".sh", ".sql", ".yml", ".yaml", ".html", ".txtar", ".md", ".c", ".h", ".json", "Makefile") {
		if file == "CHANGELOG.md" {
			continue
		}
		for _, found := range page.FindAllString(read(t, file), -1) {
			name, anchor, _ := strings.Cut(found, "#")
			requireSection(t, file, name, anchor)
		}
	}
}

// Every folder and file of the repository that a page names in code font is there.
func TestSourcesThatAreNamedExist(t *testing.T) {
	for _, file := range files(t, ".md") {
		if file == "CHANGELOG.md" {
			continue
		}
		for _, found := range source.FindAllStringSubmatch(read(t, file), -1) {
			if _, err := os.Stat(filepath.Join(testenv.Root(), found[1])); err != nil {
				t.Errorf("%s names %s, which is not there", file, found[1])
			}
		}
	}
}

// Every setting that a page names in code font, such as `--lookback 30d`, is one of moderator's or a flag of flagctl's.
func TestSettingsThatAreNamedExist(t *testing.T) {
	known := map[string]bool{}
	for _, list := range []string{"docs/configuration.md", "docs/flagctl.md"} { // held against the code by tests of their own
		for _, found := range setting.FindAllStringSubmatch(read(t, list), -1) {
			known[found[1]] = true
		}
	}
	for _, file := range files(t, ".md") {
		tools := strings.HasPrefix(file, "tools/") || strings.HasPrefix(file, "models/") || file == "docs/quality.md" // have flags of their own
		if file == "CHANGELOG.md" || tools {
			continue
		}
		for _, found := range setting.FindAllStringSubmatch(read(t, file), -1) {
			if !known[found[1]] {
				t.Errorf("%s names --%s, which is no setting", file, found[1])
			}
		}
	}
}

func requireSection(t *testing.T, from, file, anchor string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(testenv.Root(), file)); err != nil {
		t.Errorf("%s names %s, which is not there", from, file)
		return
	}
	if anchor != "" && !anchors(read(t, file))[anchor] {
		t.Errorf("%s names the section #%s of %s, which it lacks", from, anchor, file)
	}
}

// anchors are those that GitHub gives the headings of a page.
func anchors(text string) map[string]bool {
	have := map[string]bool{}
	for _, found := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		title := linkText.ReplaceAllString(found[1], "$1")
		slug := strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
		unique := slug
		for n := 1; have[unique]; n++ {
			unique = slug + "-" + strconv.Itoa(n)
		}
		have[unique] = true
	}
	return have
}
