package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"moderator/internal/matchdb"
)

// flagUpload flags the picture of a decision, and returns its flag's id.
func (c *Console) flagUpload(ctx context.Context, d *decision, bank, by, reason string) (uuid.UUID, error) {
	data, err := c.fetch(ctx, d)
	if err != nil {
		return uuid.Nil, err
	}
	result, err := c.Pictures.Flag(ctx, data, matchdb.NewFlag{Bank: bank, Source: d.flagSource(), Note: reason, By: by})
	return result.ID, err
}

// flagSource is the source of a flag of the upload: where its picture is, without a URL's query, user and password.
func (d *decision) flagSource() string {
	u := d.Event.Data.Upload
	if u.Object != nil {
		return objectScheme + u.Object.Bucket + "/" + u.Object.Name
	}
	address, err := url.Parse(u.URL)
	if err != nil {
		return "upload " + u.ID
	}
	return (&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path, RawPath: address.RawPath}).String()
}

// Flag flags the picture. It sets the hashes and features of f.
func (p *Pictures) Flag(ctx context.Context, data []byte, f matchdb.NewFlag) (matchdb.FlagResult, error) {
	picture, err := p.extract(ctx, data)
	if err != nil {
		return matchdb.FlagResult{}, pictureProblem("The picture", err)
	}
	f.Model = p.model.Folder().Fingerprint()
	if err := picture.Describe(&f, data); err != nil {
		return matchdb.FlagResult{}, err
	}
	return p.db.Flag(ctx, f)
}

// flagDecision handles the form that flags the upload of a decision.
func (c *Console) flagDecision(r *http.Request, reason string) (string, error) {
	d, err := c.loadNamed(r)
	if err != nil {
		return "", err
	}
	id, err := c.flagUpload(r.Context(), d, r.PostFormValue("bank"), user(r), reason)
	return "/flags/" + id.String(), err
}

// allowDecision handles the form that puts the upload of a decision on the allow-list.
func (c *Console) allowDecision(r *http.Request, reason string) (string, error) {
	d, err := c.loadNamed(r)
	if err != nil {
		return "", err
	}
	return "/decisions/" + strconv.FormatUint(d.Sequence, 10), c.allow(r.Context(), d, user(r), reason)
}

func (c *Console) retract(r *http.Request, reason string) (string, error) {
	flag, err := c.Library.Retract(r.Context(), r.PathValue("id"), user(r), reason)
	return "/flags/" + flag.ID.String(), err
}

func (c *Console) restore(r *http.Request, reason string) (string, error) {
	flag, err := c.Library.Restore(r.Context(), r.PathValue("id"), user(r), reason)
	return "/flags/" + flag.ID.String(), err
}

// release handles the form of a flag in quarantine.
func (c *Console) release(r *http.Request, reason string) (string, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return "", &problem{http.StatusNotFound, "The address names no flag."}
	}
	return "/flags/" + id.String(), c.Library.Release(r.Context(), []uuid.UUID{id}, user(r), reason)
}

func (c *Console) addBank(r *http.Request, reason string) (string, error) {
	name := r.PostFormValue("name")
	return "/banks/" + name, c.Library.AddBank(r.Context(), name, user(r), reason)
}

// changeBank handles the forms of a bank: on, off, or thresholds.
func (c *Console) changeBank(r *http.Request, reason string) (string, error) {
	name := r.PathValue("name")
	next := "/banks/" + name
	switch change := r.PostFormValue("change"); change {
	case "on":
		return next, c.Library.EnableBank(r.Context(), name, user(r), reason)
	case "off":
		return next, c.Library.DisableBank(r.Context(), name, user(r), reason)
	case "thresholds":
		thresholds, err := thresholdsOf(r)
		if err != nil {
			return "", err
		}
		return next, c.Library.SetBank(r.Context(), name, c.Model, thresholds, user(r), reason)
	default:
		return "", &problem{http.StatusBadRequest, fmt.Sprintf("The change is %q, wanted on, off or thresholds.", cut(change, 20))}
	}
}

func thresholdsOf(r *http.Request) (t matchdb.Thresholds, err error) {
	if t.BlockAt, err = strconv.ParseFloat(strings.TrimSpace(r.PostFormValue("block_at")), 64); err != nil {
		return t, &problem{http.StatusBadRequest, fmt.Sprintf("The score to block at is %q, wanted a number such as 0.52.", cut(r.PostFormValue("block_at"), 20))}
	}
	text := strings.TrimSpace(r.PostFormValue("review_at"))
	if text == "" {
		return t, nil
	}
	reviewAt, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return t, &problem{http.StatusBadRequest, fmt.Sprintf("The score to review at is %q, wanted a number such as 0.35, or nothing.", cut(text, 20))}
	}
	t.ReviewAt = &reviewAt
	return t, nil
}
