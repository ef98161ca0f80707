package main

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/draw"

	"moderator/internal/transforms"
)

//go:embed report.html
var reportPage string

// shownPairs is how many misses, and how many false matches, the report shows as pictures.
const shownPairs = 24

// exhibit is a pair of pictures to look at.
type exhibit struct {
	Upload, Flag template.URL
	What         string
	Score        string
}

type reportRow struct {
	Name  string
	Cells []string
	Sum   bool // of a group
}

type curve struct {
	Name, Colour string
	Points       string // of a polyline in the chart's coordinates
	LabelY       float64
}

// writeReport writes one HTML file that needs no other.
func writeReport(path string, r *result, c *collection, model string) error {
	tmpl, err := template.New("report").Parse(reportPage)
	if err != nil {
		return err
	}
	misses, err := r.misses(c)
	if err != nil {
		return err
	}
	mistakes, err := r.mistakes(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	err = tmpl.Execute(file, map[string]any{
		"Model": model, "Line": r.line(len(c.originals)), "Rate": rate(r.fpr), "Methods": r.names(), "Rows": r.rows(), "Curves": r.curves(),
		"Misses": misses, "Mistakes": mistakes, "Ticks": ticks(),
	})
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (r *result) names() []string {
	var names []string
	for _, m := range r.methods {
		names = append(names, m.name)
	}
	return names
}

func (r *result) rows() []reportRow {
	var rows []reportRow
	add := func(name string, sum bool) {
		row := reportRow{Name: name, Sum: sum}
		for _, m := range r.methods {
			row.Cells = append(row.Cells, fmt.Sprintf("%.3f", m.recall[name]))
		}
		rows = append(rows, row)
	}
	for _, group := range transforms.Groups() {
		for _, e := range transforms.Quality() {
			if e.Group == group {
				add(e.Name, false)
			}
		}
		add(string(group), true)
	}
	add("all", true)
	return rows
}

// The chart is 640 x 320: false match rates from 1e-7 to 1e-2 across, recall from 0 to 1 upwards.
const (
	chartWidth, chartHeight = 640.0, 320.0
	lowestRate, decades     = -7.0, 5.0
)

type tick struct {
	X     float64
	Label string
}

func ticks() []tick {
	var all []tick
	for d := range int(decades) + 1 {
		all = append(all, tick{chartWidth * float64(d) / decades, fmt.Sprintf("1e%d", int(lowestRate)+d)})
	}
	return all
}

func (r *result) curves() []curve {
	colours := []string{"#999", "#c77700", "#b30000", "#7a5195", "#2f6fb0", "#2a9d5c", "#777", "#111"}
	var all []curve
	for i, m := range r.methods {
		var points []string
		for x := 0.0; x <= chartWidth; x += 4 {
			t := m.ranking.threshold(math.Pow(10, lowestRate+decades*x/chartWidth))
			points = append(points, fmt.Sprintf("%.0f,%.1f", x, chartHeight*(1-m.ranking.recall(t))))
		}
		all = append(all, curve{m.name, colours[i%len(colours)], strings.Join(points, " "), 20 + 18*float64(i)})
	}
	return all
}

// misses are the matches of the lowest log-odds that are not blocked, of each edit the worst first.
func (r *result) misses(c *collection) ([]exhibit, error) {
	u := r.method(shipped)
	worst := map[string][]int{}
	for i, q := range r.queries {
		if !q.twin && !(u.grid.row(i)[q.original] >= u.threshold) {
			worst[q.edit.Name] = append(worst[q.edit.Name], i)
		}
	}
	score := func(i int) float32 { return u.grid.row(i)[r.queries[i].original] }
	var shown []exhibit
	for depth := 0; len(shown) < shownPairs; depth++ {
		more := false
		for _, e := range transforms.Quality() {
			list := worst[e.Name]
			if depth == 0 {
				slices.SortFunc(list, func(a, b int) int { return int(math.Copysign(1, float64(score(a)-score(b)))) })
			}
			if depth >= len(list) || len(shown) == shownPairs {
				continue
			}
			more = true
			q := r.queries[list[depth]]
			x, err := c.exhibit(q.query, q.original, score(list[depth]))
			if err != nil {
				return nil, err
			}
			shown = append(shown, x)
		}
		if !more {
			break
		}
	}
	return shown, nil
}

// mistakes shows the pairs of the highest log-odds that are no match.
func (r *result) mistakes(c *collection) ([]exhibit, error) {
	var shown []exhibit
	for _, p := range r.method(shipped).mostAlike(r.queries, shownPairs) {
		x, err := c.exhibit(r.queries[p.query].query, p.flag, p.score)
		if err != nil {
			return nil, err
		}
		shown = append(shown, x)
	}
	return shown, nil
}

// exhibit makes an upload again and shows it beside a flag.
func (c *collection) exhibit(q query, flag int, score float32) (exhibit, error) {
	file, err := c.upload(q)
	if err != nil {
		return exhibit{}, err
	}
	x := exhibit{What: q.edit.Name + " of " + c.originals[q.original].name, Score: fmt.Sprintf("%.2f", score)}
	if q.original != flag {
		x.What += " and " + c.originals[flag].name
	}
	if x.Upload, err = thumbnail(file); err != nil {
		return exhibit{}, err
	}
	x.Flag, err = thumbnail(c.originals[flag].file)
	return x, err
}

// thumbnail makes a small JPEG as a data URL.
func thumbnail(file []byte) (template.URL, error) {
	p, err := transforms.Decode(file)
	if err != nil {
		return "", err
	}
	k := 150 / float64(max(p.Rect.Dx(), p.Rect.Dy()))
	small := image.NewRGBA(image.Rect(0, 0, max(1, int(k*float64(p.Rect.Dx()))), max(1, int(k*float64(p.Rect.Dy())))))
	draw.CatmullRom.Scale(small, small.Rect, p, p.Rect, draw.Src, nil)
	data, err := transforms.Encode(small, transforms.JPEG, 75)
	if err != nil {
		return "", err
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(data)), nil
}
