package flagctl

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/matchdb"
)

func TestIndexesThatSearchesSufferFrom(t *testing.T) {
	fine := matchdb.Index{Name: "fine", Rows: 1_000_000, Dead: 100_000, Valid: true}
	dead := matchdb.Index{Name: "dead", Rows: 6000, Dead: 4000, Valid: true}
	unfinished := matchdb.Index{Name: "unfinished", Rows: 6000, Dead: 4000}
	const (
		reindex = "4000 of 10000 rows are dead: run REINDEX INDEX CONCURRENTLY dead, then VACUUM"
		again   = "unfinished is incomplete: drop it and create it again"
	)
	for name, test := range map[string]struct {
		indexes []matchdb.Index
		status  string
		detail  string
		count   int64
	}{
		"none":                          {nil, "ok", "few", 0},
		"a tenth is dead":               {[]matchdb.Index{fine}, "ok", "few", 0},
		"a fifth is dead":               {[]matchdb.Index{{Name: "a", Rows: 8000, Dead: 2000, Valid: true}}, "ok", "few", 0},
		"a row more":                    {[]matchdb.Index{{Name: "a", Rows: 8000, Dead: 2001, Valid: true}}, "warning", "2001 of 10001 rows are dead: run REINDEX INDEX CONCURRENTLY a, then VACUUM", 2001},
		"too few to matter":             {[]matchdb.Index{{Name: "a", Rows: 0, Dead: 1000, Valid: true}}, "ok", "few", 0},
		"one of two":                    {[]matchdb.Index{fine, dead}, "warning", reindex, 4000},
		"both":                          {[]matchdb.Index{dead, dead}, "warning", reindex + "; " + reindex, 8000},
		"never finished":                {[]matchdb.Index{unfinished, fine}, "failed", again, 0},
		"a warning after a failure":     {[]matchdb.Index{unfinished, dead}, "failed", again + "; " + reindex, 4000},
		"a failure after a warning":     {[]matchdb.Index{dead, unfinished}, "failed", reindex + "; " + again, 4000},
		"few rows, and never finished":  {[]matchdb.Index{{Name: "unfinished"}}, "failed", again, 0},
		"every row is dead, none lives": {[]matchdb.Index{{Name: "a", Dead: 1001, Valid: true}}, "warning", "1001 of 1001 rows are dead: run REINDEX INDEX CONCURRENTLY a, then VACUUM", 1001},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, checked{Name: "dead rows", Status: test.status, Detail: test.detail, Count: test.count}, indexes(test.indexes))
		})
	}
}
