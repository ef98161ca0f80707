package flagctl

import (
	"context"
	"strconv"

	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type bankCommands struct {
	Add     bankAdd    `cmd:"" help:"Add a bank."`
	List    bankList   `cmd:"" help:"List the banks, with their thresholds for the model."`
	Set     bankSet    `cmd:"" help:"Set a bank's thresholds for the model."`
	Disable bankSwitch `cmd:"" help:"Disable a bank: its flags match nothing."`
	Enable  bankEnable `cmd:"" help:"Enable a bank: its flags match again."`
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
	BlockAt  float64  `required:"" help:"Uploads with this score or more are blocked." placeholder:"SCORE"`
	ReviewAt *float64 `help:"Uploads with this score or more go to review. Without it, no upload does." placeholder:"SCORE"`
}

func (b *bankSet) Run(ctx context.Context, c *cli) error {
	folder, err := recognise.Folder(c.Model)
	if err != nil {
		return err
	}
	return c.changeBank(ctx, b.Name, "set", func(db *matchdb.DB) error {
		limits := matchdb.Thresholds{BlockAt: b.BlockAt, ReviewAt: b.ReviewAt}
		return db.SetBank(ctx, b.Name, folder.Fingerprint(), limits, c.As, b.Reason)
	})
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
		state, review := "enabled", "-"
		if !b.Enabled {
			state = "disabled"
		}
		if b.ReviewAt != nil {
			review = number(*b.ReviewAt)
		}
		rows[i] = []string{b.Name, state, strconv.Itoa(b.Flags), number(b.BlockAt), review}
	}
	return c.print(banksToJSON(banks), "BANK\tSTATE\tFLAGS\tBLOCK AT\tREVIEW AT", rows)
}
