package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// decision is the fields of a decision event that the demo uses. It does not share moderator's types, as other programs do not.
type decision struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Subject     string `json:"subject"`
	Data        struct {
		Verdict string   `json:"verdict"`
		Reason  string   `json:"reason"`
		Detail  string   `json:"detail"`
		Signal  string   `json:"signal"`
		Score   *float64 `json:"score"`
		Match   *struct {
			View string `json:"view"`
		} `json:"match"`
		Upload struct {
			Stream   string `json:"stream"`
			Sequence uint64 `json:"sequence"`
		} `json:"upload"`
	} `json:"data"`
}

// wrong returns in words how the decisions differ from the expected one, or "".
func (u *upload) wrong() string {
	switch {
	case len(u.decisions) == 0:
		return "no decision"
	case len(u.decisions) > 1:
		return fmt.Sprintf("%d decisions", len(u.decisions))
	}
	d := u.decisions[0]
	switch {
	case d.Data.Verdict != u.verdict || d.Data.Reason != u.reason:
		return fmt.Sprintf("wanted %s/%s", u.verdict, u.reason)
	case d.SpecVersion != "1.0":
		return "not a CloudEvent 1.0"
	case u.id != "" && d.Subject != u.id:
		return fmt.Sprintf("is about %q, wanted %q", d.Subject, u.id)
	}
	return ""
}

func report(stdout io.Writer, uploads []upload) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PICTURE\tSENT AS\tBY\tDECIDED\tREASON\tSIGNAL\tSCORE\tVIEW\t")
	wrong, decided := 0, 0
	for i := range uploads {
		u := &uploads[i]
		verdict, reason, signal, score, view := "-", "-", "-", "-", "-"
		if len(u.decisions) > 0 {
			d := u.decisions[0].Data
			decided++
			verdict, reason = d.Verdict, d.Reason
			if d.Score != nil {
				signal, score = d.Signal, fmt.Sprintf("%.3f", *d.Score)
			}
			if d.Match != nil {
				view = d.Match.View
			}
		}
		remark := u.wrong()
		if remark != "" {
			wrong++
			remark = "WRONG: " + remark
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", u.name, u.edit, u.form, verdict, reason, signal, score, view, remark)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\ndemo: %d uploads, %d decisions, %d wrong\n", len(uploads), decided, wrong)
	if wrong > 0 {
		return fmt.Errorf("%d decisions are wrong or missing: see the lines marked WRONG", wrong)
	}
	return nil
}
