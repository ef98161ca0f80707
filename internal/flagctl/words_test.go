package flagctl

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/matchdb"
)

// Changes that no script makes: of the console, of moderators, of exchanges, and of HMA's clients.
func TestChangesInWords(t *testing.T) {
	type row = map[string]any
	names := matchdb.Names{Banks: map[int]string{7: "spam"}}
	flag := row{"source": "holiday.jpg", "bank_id": 7.0}
	for want, ch := range map[string]matchdb.Change{
		"ann (web) decided block on upload u1: a copy":                                 {Table: "review", Action: "insert", Reason: "a copy", After: row{"verdict": "block", "upload_id": "u1"}},
		"ann (web) had upload u1 judged again":                                         {Table: "review", Action: "insert", After: row{"verdict": "again", "upload_id": "u1"}},
		"ann (web) took back block on upload u1":                                       {Table: "review", Action: "update", Before: row{"verdict": "block"}, After: row{"verdict": "block", "upload_id": "u1", "taken_back_at": "2026"}},
		"ann (web) put flag f1 in quarantine: blocked 30 uploads":                      {Table: "quarantine", Action: "insert", RowID: "f1", Reason: "blocked 30 uploads", After: row{"blocked": 30.0}},
		"ann (web) released flag f1 from quarantine":                                   {Table: "quarantine", Action: "update", RowID: "f1", After: row{}},
		"ann (web) forgot a flag that its exchange withdrew, in bank spam":             {Table: "flagged_image", Action: "delete", Before: flag},
		"ann (web) changed the flag of holiday.jpg (disable_until 1 → 0) in bank spam": {Table: "flagged_image", Action: "update", Before: row{"source": "holiday.jpg", "bank_id": 7.0, "disable_until": 1.0}, After: row{"source": "holiday.jpg", "bank_id": 7.0, "disable_until": 0.0}},
		"ann (web) added signals to holiday.jpg in bank spam":                          {Table: "flagged_image", Action: "update", Before: flag, After: flag},
		"ann (web) flagged a picture without a source in bank 9":                       {Table: "flagged_image", Action: "insert", After: row{"source": "", "bank_id": 9.0}},
		"ann (web) flagged 2000 pictures in bank spam":                                 {Table: "flagged_image", Action: "insert", After: row{"flags": 2000.0, "bank_id": 7.0}},
		"ann (web) disabled exchange ncmec":                                            {Table: "exchange", Action: "update", Before: row{"name": "ncmec", "enabled": true}, After: row{"name": "ncmec", "enabled": false}},
		"ann (web) removed exchange ncmec":                                             {Table: "exchange", Action: "delete", Before: row{"name": "ncmec"}},
		"ann (web) changed model m (block_at 0.5 → 0.6)":                               {Table: "model", Action: "update", Before: row{"name": "m", "block_at": 0.5}, After: row{"name": "m", "block_at": 0.6}},
		"ann (web) removed the thresholds of bank spam":                                {Table: "bank_threshold", Action: "delete", Before: row{"bank_id": 7.0}},
	} {
		ch.By, ch.User = "ann", "web"
		require.Equal(t, want, sentence(ch, names))
	}
	require.Equal(t, "web removed exchange ncmec", sentence(matchdb.Change{User: "web", Table: "exchange", Action: "delete", Before: row{"name": "ncmec"}}, names))
}
