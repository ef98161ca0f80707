package flagctl

import (
	"time"

	"moderator/internal/matchdb"
)

// flagJSON is a flag in the JSON output of list and show.
type flagJSON struct {
	ID           string     `json:"id"`
	Bank         string     `json:"bank"`
	SHA256       string     `json:"sha256"` // empty if unknown
	SHA1         string     `json:"sha1,omitempty"`
	MD5          string     `json:"md5,omitempty"`
	Source       string     `json:"source"`
	Note         string     `json:"note"`
	FlaggedAt    time.Time  `json:"flagged_at"`
	FlaggedBy    string     `json:"flagged_by"`
	DatabaseUser string     `json:"database_user"`
	Views        int        `json:"views"`
	Retracted    *retracted `json:"retracted,omitempty"`
	Embeddings   []viewJSON `json:"embeddings,omitempty"` // only in show

	Quarantined *quarantined `json:"quarantined,omitempty"`
}

type retracted struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

type quarantined struct {
	Since   time.Time `json:"since"`
	Blocked int       `json:"blocked"` // uploads within the hour before
}

type viewJSON struct {
	View             string `json:"view"`
	Model            string `json:"model"`
	ModelFingerprint string `json:"model_fingerprint"`
}

func toJSON(f matchdb.Flagged) flagJSON {
	out := flagJSON{
		ID: f.ID.String(), Bank: f.Bank, SHA256: f.SHA256, SHA1: f.SHA1, MD5: f.MD5, Source: f.Source, Note: f.Note,
		FlaggedAt: f.CreatedAt, FlaggedBy: f.CreatedBy, DatabaseUser: f.CreatedUser, Views: f.Views,
	}
	if f.RetractedAt != nil {
		out.Retracted = &retracted{*f.RetractedAt, f.RetractedBy, f.RetractReason}
	}
	if q := f.Quarantine; q != nil {
		out.Quarantined = &quarantined{q.Since, q.Blocked}
	}
	for _, e := range f.Embeddings {
		out.Embeddings = append(out.Embeddings, viewJSON{e.View, e.Model, e.Fingerprint})
	}
	return out
}

func allToJSON(flags []matchdb.Flagged) []flagJSON {
	out := make([]flagJSON, len(flags))
	for i, f := range flags {
		out[i] = toJSON(f)
	}
	return out
}

// bankJSON is a bank in the JSON output of bank list.
type bankJSON struct {
	Name     string   `json:"name"`
	Enabled  bool     `json:"enabled"`
	Flags    int      `json:"flags"`
	BlockAt  float64  `json:"block_at"`
	ReviewAt *float64 `json:"review_at"`
	Own      bool     `json:"own_thresholds"` // instead of the model's defaults

	Shadow      bool     `json:"shadow"`
	ReviewOnly  bool     `json:"review_only"`
	PDQDistance *int     `json:"pdq_distance"` // null: evidence decides
	PDQVerdict  string   `json:"pdq_verdict,omitempty"`
	FalseBlocks *float64 `json:"false_blocks"` // null: as moderators are set
}

func banksToJSON(banks []matchdb.Bank) []bankJSON {
	out := make([]bankJSON, len(banks))
	for i, b := range banks {
		out[i] = bankJSON{b.Name, b.Enabled, b.Flags, b.BlockAt, b.ReviewAt, b.Own, b.Shadow, b.ReviewOnly, b.PDQDistance, b.PDQVerdict, b.FalseBlocks}
	}
	return out
}
