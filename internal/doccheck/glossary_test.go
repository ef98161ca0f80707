package doccheck

import (
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

// maxTerms keeps the glossary short enough to be read.
const maxTerms = 40

var (
	codeSpan   = regexp.MustCompile("`([^`]+)`")
	identifier = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_]*`)
	sqlComment = regexp.MustCompile(`(?m)--.*$`)
)

// glossary returns the number of terms, and the words that may not be names and those that may be nowhere.
func glossary(t *testing.T) (terms int, names, anywhere []string) {
	t.Helper()
	for line := range strings.Lines(read(t, "docs/glossary.md")) {
		if !strings.HasPrefix(line, "| **") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimSpace(line), "|"), "|")[1:]
		require.Len(t, cells, 4, "the row has other than four columns: %s", line)
		terms++
		names, anywhere = append(names, code(cells[2])...), append(anywhere, code(cells[3])...)
	}
	return terms, names, anywhere
}

func code(cell string) (words []string) {
	for _, span := range codeSpan.FindAllStringSubmatch(cell, -1) {
		words = append(words, span[1])
	}
	return words
}

func TestGlossaryIsShort(t *testing.T) {
	terms, names, anywhere := glossary(t)
	require.LessOrEqual(t, terms, maxTerms)
	require.NotEmpty(t, names)
	require.NotEmpty(t, anywhere)
}

func TestNamesAreTheGlossarys(t *testing.T) {
	_, names, anywhere := glossary(t)
	refused := map[string]bool{}
	for _, name := range append(names, anywhere...) {
		refused[joined(words(name))] = true
	}
	for _, file := range files(t, ".go", ".sql") {
		for _, name := range namesOf(t, file) {
			for _, part := range runs(words(name)) {
				require.False(t, refused[part], "%s: the name %s has %q, for which docs/glossary.md has another word", file, name, part)
			}
		}
	}
}

func TestPagesAndCommentsUseTheGlossarysWords(t *testing.T) {
	_, _, anywhere := glossary(t)
	for _, word := range anywhere {
		pattern := regexp.MustCompile(`(?i)\b` + strings.ReplaceAll(regexp.QuoteMeta(word), " ", `\s+(?://\s+|--\s+)?`) + `\b`)
		for _, file := range files(t, ".go", ".sql", ".md", ".html", ".yml", ".yaml") {
			if file == "docs/glossary.md" || file == "CHANGELOG.md" {
				continue
			}
			text := read(t, file)
			if at := pattern.FindStringIndex(text); at != nil {
				t.Errorf("%s:%d: %q: docs/glossary.md has another word", file, 1+strings.Count(text[:at[0]], "\n"), text[at[0]:at[1]])
			}
		}
	}
}

// namesOf returns the identifiers of a Go or SQL file, without comments and, in Go, strings.
func namesOf(t *testing.T, file string) (names []string) {
	t.Helper()
	source := read(t, file)
	if filepath.Ext(file) == ".sql" {
		return identifier.FindAllString(sqlComment.ReplaceAllString(source, ""), -1)
	}
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile(file, -1, len(source)), []byte(source), nil, 0)
	for {
		_, kind, text := s.Scan()
		switch kind {
		case token.EOF:
			return names
		case token.IDENT:
			names = append(names, text)
		}
	}
}

// words splits a name at underscores and at capitals that begin a word, in small letters: maxFrames and max_frames are "max", "frames".
func words(name string) (parts []string) {
	letters := []rune(name)
	start := 0
	for i := 1; i <= len(letters); i++ {
		if i < len(letters) && letters[i] != '_' && letters[i] != ' ' && !(unicode.IsUpper(letters[i]) && !unicode.IsUpper(letters[i-1])) {
			continue
		}
		if part := strings.Trim(strings.ToLower(string(letters[start:i])), "_ "); part != "" {
			parts = append(parts, part)
		}
		start = i
	}
	return parts
}

// runs returns all runs of neighbouring words, each joined.
func runs(words []string) (all []string) {
	for from := range words {
		for to := from + 1; to <= len(words); to++ {
			all = append(all, joined(words[from:to]))
		}
	}
	return all
}

func joined(words []string) string { return strings.Join(words, " ") }

// files returns the paths below the repository's root of the files that end in one of the suffixes.
func files(t *testing.T, suffixes ...string) (paths []string) {
	t.Helper()
	root := testenv.Root()
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "bin" || name == "dist" || name == "shared") {
				return filepath.SkipDir
			}
			return nil
		}
		for _, suffix := range suffixes {
			if strings.HasSuffix(name, suffix) {
				relative, err := filepath.Rel(root, path)
				if err != nil {
					return err
				}
				paths = append(paths, filepath.ToSlash(relative))
			}
		}
		return nil
	}))
	require.NotEmpty(t, paths)
	return paths
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Root(), file))
	require.NoError(t, err)
	return string(data)
}
