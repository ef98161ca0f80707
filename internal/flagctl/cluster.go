package flagctl

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/internal/sandbox"
)

type clusterCommand struct {
	At     float64 `help:"Pictures with this score or more are alike. The default is a little below the model's review threshold." placeholder:"SCORE"`
	Turned bool    `help:"Also compare mirrored, turned and cropped views; takes several times as long."`
	Out    string  `help:"Contact sheet to write: an HTML file that contains the pictures." default:"clusters.html" placeholder:"FILE"`
	Folder string  `arg:"" help:"Folder of pictures." predictor:"file"`
}

//go:embed cluster.html
var clusterPage string

// Limits of a contact sheet, so that a browser can open it: pictures of a group, and in all.
const (
	shownOfGroup = 60
	shownInAll   = 3000
	thumbEdge    = 160 // pixels of a thumbnail's longer side
)

func (k *clusterCommand) Run(ctx context.Context, c *cli) error {
	x, err := c.extractor(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	at := k.At
	if at == 0 {
		at = looser(x.Folder())
	}
	groups, err := c.groupFolder(ctx, x, k.Folder, at, k.Turned)
	if err != nil {
		return err
	}
	slices.SortStableFunc(groups, func(a, b groupOf) int { return cmp.Compare(len(b.Pictures), len(a.Pictures)) })
	page, err := c.contactSheet(ctx, k.Folder, at, x.Folder().Name(), groups)
	if err != nil {
		return err
	}
	if err := os.WriteFile(k.Out, page, 0o644); err != nil {
		return fmt.Errorf("contact sheet: %w: choose another file with --out", err)
	}
	if err := c.printGroups(groups); err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "%s: %s\n", plural(len(groups), "group"), k.Out)
	return nil
}

// looser returns the default threshold: as far below the review threshold as that is below the block threshold.
func looser(f *embed.Folder) float64 {
	block, review := thresholds(f)
	return review - (block - review)
}

// sheetGroup is one group on the contact sheet.
type sheetGroup struct {
	Number, Size int
	Thumbs       []thumb
	More         int // pictures that are not shown
}

type thumb struct {
	Src           template.URL
	Name, Caption string
	Width, Height int
}

// contactSheet returns the groups as one HTML page, the largest group first.
func (c *cli) contactSheet(ctx context.Context, folder string, at float64, model string, groups []groupOf) ([]byte, error) {
	tmpl, err := template.New("cluster").Parse(clusterPage)
	if err != nil {
		return nil, err
	}
	small, err := c.thumbDecoder()
	if err != nil {
		return nil, err
	}
	defer small.Close()
	var sheet []sheetGroup
	room, pictures := shownInAll, 0
	for i, g := range groups {
		pictures += len(g.Pictures)
		s := sheetGroup{Number: i + 1, Size: len(g.Pictures)}
		for _, p := range g.Pictures[:min(len(g.Pictures), shownOfGroup, room)] {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			shown, err := c.thumb(ctx, small, folder, p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Picture, err)
			}
			s.Thumbs = append(s.Thumbs, shown)
		}
		room -= len(s.Thumbs)
		s.More = s.Size - len(s.Thumbs)
		if len(s.Thumbs) > 0 {
			sheet = append(sheet, s)
		}
	}
	var page bytes.Buffer
	err = tmpl.Execute(&page, map[string]any{
		"Folder": folder, "At": number(at), "Model": model, "Groups": sheet, "Pictures": pictures, "All": len(groups), "Hidden": len(groups) - len(sheet),
	})
	return page.Bytes(), err
}

func (c *cli) thumb(ctx context.Context, small *sandbox.Pool, folder string, p alike) (thumb, error) {
	data, err := read(ctx, p.Picture, c.MaxUploadBytes)
	if err != nil {
		return thumb{}, err
	}
	name, err := filepath.Rel(folder, p.Picture)
	if err != nil {
		name = p.Picture
	}
	t := thumb{Name: name, Caption: "the largest"}
	if p.Signal != "" {
		t.Caption = fmt.Sprintf("%s %s", p.Signal, strings.TrimPrefix(number(*p.Score), "0"))
	}
	scale := float64(thumbEdge) / float64(max(p.Width, p.Height))
	t.Width, t.Height = max(1, int(scale*float64(p.Width))), max(1, int(scale*float64(p.Height)))
	decoded, err := small.Decode(ctx, data)
	if err != nil {
		return thumb{}, err
	}
	t.Src, err = dataURL(decoded.Frames[0].Views[0].Pixels[0], thumbEdge, thumbEdge)
	return t, err
}

// thumbDecoder squeezes pictures into a square, as all targets have one size. The page restores their proportions.
func (c *cli) thumbDecoder() (*sandbox.Pool, error) {
	return recognise.LazyDecoder(imaging.Request{
		Targets: []imaging.Target{{ResizeWidth: thumbEdge, ResizeHeight: thumbEdge}}, Limits: c.limitsOfOne(),
	}, c.Sandbox, slog.New(slog.DiscardHandler))
}

// dataURL returns RGB pixels as the data URL of a JPEG.
func dataURL(pixels []byte, width, height int) (template.URL, error) {
	p := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		copy(p.Pix[4*i:], append(pixels[3*i:3*i+3:3*i+3], 255))
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, p, &jpeg.Options{Quality: 75}); err != nil {
		return "", err
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(file.Bytes())), nil
}

// limitsOfOne returns the decoder's limits with one frame.
func (c *cli) limitsOfOne() imaging.Limits {
	limits := recognise.ImageLimits(c.Limits)
	limits.MaxFrames = 1
	return limits
}
