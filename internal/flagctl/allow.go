package flagctl

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type allowCommands struct {
	Add    allowAdd    `cmd:"" help:"Allow innocent pictures that were blocked: files, URLs, or the picture of a decision."`
	List   allowList   `cmd:"" help:"List the allowed pictures."`
	Remove allowRemove `cmd:"" help:"Remove a picture from the list."`
}

type allowAdd struct {
	Decision string   `help:"Id of the decision, or of its upload. The picture is fetched again." placeholder:"ID"`
	Note     string   `help:"Why it is innocent." placeholder:"TEXT"`
	Picture  []string `arg:"" optional:"" help:"Files, folders and URLs; - is standard input." predictor:"file"`
}

// allowed is the result of allowing one picture.
type allowed struct {
	Picture string `json:"picture"`
	Status  string `json:"status"` // allowed, already allowed
	ID      string `json:"id"`
}

func (a *allowAdd) Run(ctx context.Context, c *cli) error {
	if (a.Decision == "") == (len(a.Picture) == 0) {
		return errors.New("want either pictures or --decision")
	}
	return c.withLibraryAndModel(ctx, func(db *matchdb.DB, x *recognise.Extractor) error {
		var done []allowed
		add := func(name string, data []byte) error {
			result, err := a.add(ctx, c, db, x, name, data)
			if err == nil {
				done = append(done, result)
			}
			return err
		}
		if a.Decision != "" {
			data, err := c.decided(ctx, a.Decision)
			if err == nil {
				err = add("decision "+a.Decision, data)
			}
			if err != nil {
				return err
			}
			return a.report(c, done)
		}
		sources, err := c.expand(a.Picture)
		if err != nil {
			return err
		}
		var failed error
		for _, source := range sources {
			data, err := read(ctx, source, c.MaxUploadBytes)
			if err == nil {
				err = add(named(source), data)
			}
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", named(source), err))
			}
		}
		return errors.Join(a.report(c, done), failed)
	})
}

func (a *allowAdd) add(ctx context.Context, c *cli, db *matchdb.DB, x *recognise.Extractor, name string, data []byte) (allowed, error) {
	picture, err := x.Extract(ctx, data, recognise.FlagViews())
	if err != nil {
		return allowed{}, err
	}
	innocent := matchdb.NewAllowed{SHA256: sha256Hex(data), Source: name, Note: a.Note, By: c.As, Model: x.Folder().Fingerprint()}
	innocent.Embeddings, innocent.PDQ = picture.Signals()
	stored, err := db.Allow(ctx, innocent)
	result := allowed{Picture: name, Status: "allowed", ID: stored.ID.String()}
	if stored.Existing {
		result.Status = "already allowed"
	}
	return result, err
}

func (a *allowAdd) report(c *cli, done []allowed) error {
	rows := make([][]string, len(done))
	for i, d := range done {
		rows[i] = []string{d.Status, d.Picture, d.ID}
	}
	return c.print(done, "STATUS\tPICTURE\tID", rows)
}

type allowList struct{}

// allowedJSON is an allowed picture in the JSON output of allow list.
type allowedJSON struct {
	ID           string    `json:"id"`
	SHA256       string    `json:"sha256"`
	Source       string    `json:"source"`
	Note         string    `json:"note"`
	AllowedAt    time.Time `json:"allowed_at"`
	AllowedBy    string    `json:"allowed_by"`
	DatabaseUser string    `json:"database_user"`
	Views        int       `json:"views"`
}

func (allowList) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := db.AllowList(ctx)
	if err != nil {
		return err
	}
	out := make([]allowedJSON, len(list))
	rows := make([][]string, len(list))
	for i, a := range list {
		out[i] = allowedJSON{a.ID.String(), a.SHA256, a.Source, a.Note, a.CreatedAt, a.CreatedBy, a.CreatedUser, a.Views}
		rows[i] = []string{a.ID.String(), moment(a.CreatedAt), a.CreatedBy, strconv.Itoa(a.Views), a.Source, a.Note}
	}
	return c.print(out, "ID\tALLOWED\tBY\tVIEWS\tSOURCE\tNOTE", rows)
}

type allowRemove struct {
	Reason string `required:"" help:"Why, for the audit log." placeholder:"TEXT"`
	ID     string `arg:"" help:"Id of the allowed picture, or the id's beginning."`
}

func (a *allowRemove) Run(ctx context.Context, c *cli) error {
	db, err := c.library(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := db.RemoveAllowed(ctx, a.ID, c.As, a.Reason)
	if err != nil {
		return err
	}
	return c.print(map[string]string{"id": id.String(), "status": "removed"}, "", [][]string{{"removed", id.String()}})
}
