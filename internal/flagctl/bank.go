package flagctl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/recognise"
)

type bankCommands struct {
	Add     bankAdd    `cmd:"" help:"Add a bank."`
	List    bankList   `cmd:"" help:"List the banks, with their thresholds for the model."`
	Set     bankSet    `cmd:"" help:"Set what a bank makes of a match: thresholds for the model, PDQ, shadow."`
	Disable bankSwitch `cmd:"" help:"Disable a bank: its flags match nothing."`
	Enable  bankEnable `cmd:"" help:"Enable a bank: its flags match again."`
	Rename  bankRename `cmd:"" help:"Give a bank another name. It keeps its flags and thresholds."`
	Remove  bankRemove `cmd:"" help:"Remove a bank: its flags are retracted."`
}

// because is why a bank is changed.
type because struct {
	Reason string `help:"Why, for the audit log." placeholder:"TEXT"`
}

type bankAdd struct {
	because
	Name string `arg:"" help:"Name of the bank."`
}

func (b *bankAdd) Run(ctx context.Context, c *cli) error {
	return c.changeBank(ctx, b.Name, "added", func(db *matchdb.DB) error { return db.AddBank(ctx, b.Name, c.As, b.Reason) })
}

type bankSwitch struct {
	because
	Name string `arg:"" help:"Name of the bank."`
}

func (b *bankSwitch) Run(ctx context.Context, c *cli) error {
	return c.changeBank(ctx, b.Name, "disabled", func(db *matchdb.DB) error { return db.DisableBank(ctx, b.Name, c.As, b.Reason) })
}

type bankEnable struct {
	because
	Name string `arg:"" help:"Name of the bank."`
}

func (b *bankEnable) Run(ctx context.Context, c *cli) error {
	return c.changeBank(ctx, b.Name, "enabled", func(db *matchdb.DB) error { return db.EnableBank(ctx, b.Name, c.As, b.Reason) })
}

type bankSet struct {
	because
	Name     string   `arg:"" help:"Name of the bank."`
	BlockAt  *float64 `help:"Uploads with this score or more are blocked." placeholder:"SCORE"`
	ReviewAt *float64 `help:"Uploads with this score or more go to review. With --block-at alone, no upload goes to review by its score." placeholder:"SCORE"`
	policyOfPDQ
	FalseBlocks *float64 `help:"Most false blocks per upload by the bank, by the evidence. 0: as moderators are set." placeholder:"RATE"`
	ReviewOnly  string   `help:"on: matches ask for review at most, also those of the very same file." enum:",on,off" default:"" placeholder:"on|off"`
	Shadow      string   `help:"on: matches are reported in decisions, and change no verdict." enum:",on,off" default:"" placeholder:"on|off"`
}

// policyOfPDQ is what a bank makes of a match by PDQ.
type policyOfPDQ struct {
	PDQDistance *int   `name:"pdq-distance" help:"Most bits of 256 that differ in a match by PDQ, 0 to 31. Such a match has the verdict of --pdq-verdict, whatever the other signals say." placeholder:"BITS"`
	PDQVerdict  string `name:"pdq-verdict" help:"Verdict of a match by PDQ: block or review. evidence: PDQ is weighed with the other signals again." enum:",block,review,evidence" default:"" placeholder:"VERDICT"`
}

// set changes what was given. A distance blocks unless said otherwise; a verdict has the largest distance.
func (p policyOfPDQ) set(policy *matchdb.BankPolicy) {
	if p.PDQVerdict == "evidence" {
		policy.PDQDistance, policy.PDQVerdict = nil, ""
		return
	}
	if p.PDQDistance != nil {
		policy.PDQDistance = p.PDQDistance
		policy.PDQVerdict = cmp.Or(policy.PDQVerdict, "block")
	}
	if p.PDQVerdict != "" {
		policy.PDQVerdict = p.PDQVerdict
		if policy.PDQDistance == nil {
			most := pdq.MaxDistance
			policy.PDQDistance = &most
		}
	}
}

func (p policyOfPDQ) given() bool { return p.PDQDistance != nil || p.PDQVerdict != "" }

var errReviewAlone = errors.New("--review-at needs --block-at: a bank's thresholds are set together")

func (b *bankSet) Run(ctx context.Context, c *cli) error {
	policy := b.given() || b.FalseBlocks != nil || b.Shadow != "" || b.ReviewOnly != ""
	switch {
	case b.BlockAt == nil && b.ReviewAt != nil:
		return errReviewAlone
	case b.BlockAt == nil && !policy:
		return errors.New("there is nothing to set: give --block-at, --pdq-distance, --pdq-verdict, --false-blocks, --review-only or --shadow")
	case b.PDQVerdict == "evidence" && b.PDQDistance != nil:
		return errors.New("--pdq-verdict evidence takes no --pdq-distance")
	}
	var change matchdb.BankChange
	if policy {
		change.Policy = b.change
	}
	if b.BlockAt != nil {
		folder, err := recognise.Folder(c.Model)
		if err != nil {
			return err
		}
		change.Model, change.Thresholds = folder.Fingerprint(), &matchdb.Thresholds{BlockAt: *b.BlockAt, ReviewAt: b.ReviewAt}
	}
	return c.changeBank(ctx, b.Name, "set", func(db *matchdb.DB) error {
		return db.ConfigureBank(ctx, b.Name, change, c.As, b.Reason)
	})
}

func (b *bankSet) change(policy *matchdb.BankPolicy) {
	b.set(policy)
	if b.FalseBlocks != nil {
		policy.FalseBlocks = b.FalseBlocks
		if *b.FalseBlocks == 0 {
			policy.FalseBlocks = nil
		}
	}
	if b.ReviewOnly != "" {
		policy.ReviewOnly = b.ReviewOnly == "on"
	}
	if b.Shadow != "" {
		policy.Shadow = b.Shadow == "on"
	}
}

// changeBank makes one change and prints it.
func (c *cli) changeBank(ctx context.Context, name, done string, change func(*matchdb.DB) error) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := change(db); err != nil {
		return err
	}
	return c.print(map[string]string{"bank": name, "status": done}, "", [][]string{{done, name}})
}

type bankList struct{}

func (bankList) Run(ctx context.Context, c *cli) error {
	db, folder, err := c.libraryOfModel(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	banks, err := db.Banks(ctx, folder.Fingerprint())
	if err != nil {
		return err
	}
	rows := make([][]string, len(banks))
	for i, b := range banks {
		state, review, byPDQ, falseBlocks := "enabled", "-", "-", "-"
		switch {
		case removedBank.MatchString(b.Name):
			state = "removed"
		case !b.Enabled:
			state = "disabled"
		case b.Shadow:
			state = "shadow"
		case b.ReviewOnly:
			state = "review only"
		}
		if b.PDQDistance != nil {
			byPDQ = fmt.Sprintf("%s to %d", b.PDQVerdict, *b.PDQDistance)
		}
		if b.FalseBlocks != nil {
			falseBlocks = fmt.Sprint(*b.FalseBlocks)
		}
		if b.ReviewAt != nil {
			review = number(*b.ReviewAt)
		}
		rows[i] = []string{b.Name, state, strconv.Itoa(b.Flags), number(b.BlockAt), review, byPDQ, falseBlocks}
	}
	return c.print(banksToJSON(banks), "BANK\tSTATE\tFLAGS\tBLOCK AT\tREVIEW AT\tBY PDQ\tFALSE BLOCKS", rows)
}
