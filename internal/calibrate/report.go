package calibrate

import (
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"io"
	"math"
	"strings"

	"golang.org/x/image/draw"

	"moderator/internal/transforms"
)

//go:embed report.html
var reportPage string

// Size of a chart, in SVG units.
const chartWidth, chartHeight = 640.0, 280.0

// blurredSide is the longer side of a blurred picture, in pixels: enough to recognise one's own picture. The report holds no
// more detail.
const blurredSide = 20

type curve struct {
	Name, Class, Points string
}

type tick struct {
	At    float64
	Label string
}

type closeRow struct {
	Upload, Flag         template.URL
	UploadName, FlagName string
	Edit, Score          string
	Blocked              bool
}

// Report writes one self-contained HTML page. model is the model's name.
func (r *Result) Report(w io.Writer, g *Gallery, model string) error {
	tmpl, err := template.New("report").Funcs(template.FuncMap{
		"percent": func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) },
		"score":   func(v float64) string { return fmt.Sprintf("%.4f", v) },
	}).Parse(reportPage)
	if err != nil {
		return err
	}
	var closest []closeRow
	for _, p := range r.Closest {
		row := closeRow{
			UploadName: g.sources[p.Upload].Name, FlagName: g.sources[p.Flag].Name, Edit: p.Edit, Score: fmt.Sprintf("%.4f", p.Score),
			Blocked: p.Score >= r.BlockAt, Upload: g.blurred[p.Upload], Flag: g.blurred[p.Flag],
		}
		closest = append(closest, row)
	}
	lowest, highest := r.span()
	at := func(score float64) float64 { return chartWidth * (score - lowest) / (highest - lowest) }
	return tmpl.Execute(w, map[string]any{
		"Model": model, "R": r, "OneIn": thousands(1 / r.FPR), "Ten": thousands(1 / (10 * r.FPR)), "Pairs": thousands(float64(r.Pairs)),
		"Enough": float64(r.Pairs) >= 1/r.FPR, "Needed": thousands(1 / r.FPR), "Gallery": g, "Closest": closest,
		"ByScore": r.byScore(lowest, highest), "ScoreTicks": scoreTicks(lowest, highest), "BlockX": at(r.BlockAt), "ReviewX": at(r.ReviewAt),
		"ByRate": r.byRate(), "RateTicks": rateTicks(), "RateX": rateX(r.FPR), "Decades": decadeTicks(),
		"Groups": append(transforms.Groups(), all),
	})
}

// Sums returns the recall of each group and of all.
func (r *Result) Sums() []Recall {
	var sums []Recall
	for _, c := range r.Recall {
		if c.Sum {
			sums = append(sums, c)
		}
	}
	return sums
}

// span returns the range of scores in the chart: from the median of different pictures to the best copy.
func (r *Result) span() (lowest, highest float64) {
	o := r.curves.others
	lowest = float64(o[len(o)/2])
	highest = max(r.BlockAt, float64(r.curves.matches[all][0])) + 0.02
	return lowest, highest
}

// byScore returns the shares that reach a score: of copies on a linear scale, of different pictures on a logarithmic one.
func (r *Result) byScore(lowest, highest float64) []curve {
	curves := r.each(func(scores []float32) string {
		return plot(func(x float64) float64 {
			return share(scores, lowest+(highest-lowest)*x/chartWidth)
		})
	})
	return append(curves, curve{"false positives", "false", plot(func(x float64) float64 {
		return 1 + math.Log10(share(r.curves.others, lowest+(highest-lowest)*x/chartWidth))/decades
	})})
}

// byRate returns recall over the false-positive rate.
func (r *Result) byRate() []curve {
	return r.each(func(scores []float32) string {
		return plot(func(x float64) float64 {
			return share(scores, threshold(r.curves.others, math.Pow(10, decades*(x/chartWidth-1))))
		})
	})
}

// decades is how many decades of false-positive rates a chart shows, from 1 down.
const decades = 7

func (r *Result) each(points func([]float32) string) []curve {
	var curves []curve
	for _, group := range append(transforms.Groups(), all) {
		if scores := r.curves.matches[string(group)]; len(scores) > 0 {
			curves = append(curves, curve{string(group), string(group), points(scores)})
		}
	}
	return curves
}

func share(scores []float32, t float64) float64 {
	return float64(reaching(scores, t)) / float64(len(scores))
}

// plot returns the points of a polyline. y is 0 at the bottom and 1 at the top; lower values are cut off.
func plot(y func(x float64) float64) string {
	var points []string
	for x := 0.0; x <= chartWidth; x += 4 {
		v := y(x)
		if math.IsInf(v, -1) || v < 0 {
			v = 0
		}
		points = append(points, fmt.Sprintf("%.0f,%.1f", x, chartHeight*(1-v)))
	}
	return strings.Join(points, " ")
}

func rateX(rate float64) float64 { return chartWidth * (1 + math.Log10(rate)/decades) }

func rateTicks() []tick {
	var ticks []tick
	for d := -decades; d <= 0; d++ {
		ticks = append(ticks, tick{chartWidth * (1 + float64(d)/decades), oneIn(d)})
	}
	return ticks
}

// decadeTicks returns the decades of the vertical scale.
func decadeTicks() []tick {
	var ticks []tick
	for d := -decades; d <= 0; d++ {
		ticks = append(ticks, tick{-chartHeight * float64(d) / decades, oneIn(d)})
	}
	return ticks
}

func oneIn(decade int) string {
	return []string{"all", "1 in 10", "1 in 100", "1 in 1k", "1 in 10k", "1 in 100k", "1 in 1M", "1 in 10M"}[-decade]
}

func scoreTicks(lowest, highest float64) []tick {
	step := 0.1
	if highest-lowest > 1 {
		step = 0.2
	}
	var ticks []tick
	for s := math.Ceil(lowest/step) * step; s <= highest; s += step {
		ticks = append(ticks, tick{chartWidth * (s - lowest) / (highest - lowest), fmt.Sprintf("%.1f", s+1e-9)})
	}
	return ticks
}

// thousands formats a number as 1,000,000.
func thousands(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// blur makes the blurred pictures of pairs.
func (g *Gallery) blur(ctx context.Context, canvases *Canvases, pairs []ClosePair) error {
	g.blurred = map[int]template.URL{}
	for _, p := range pairs {
		for _, number := range []int{p.Upload, p.Flag} {
			if g.blurred[number] != "" {
				continue
			}
			canvas, err := canvases.of(ctx, g.sources[number])
			if err != nil {
				return err
			}
			if g.blurred[number], err = blurred(canvas); err != nil {
				return err
			}
		}
	}
	return nil
}

// blurred returns a few pixels of a picture, enlarged, as a data URL.
func blurred(p *image.RGBA) (template.URL, error) {
	small := scaled(p, p.Rect.Dx(), p.Rect.Dy(), blurredSide)
	large := image.NewRGBA(image.Rect(0, 0, 8*small.Rect.Dx(), 8*small.Rect.Dy()))
	draw.CatmullRom.Scale(large, large.Rect, small, small.Rect, draw.Src, nil)
	file, err := transforms.Encode(large, transforms.JPEG, 70)
	if err != nil {
		return "", err
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(file)), nil
}
