package flagctl

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"moderator/internal/dedupe"
	"moderator/internal/event"
	"moderator/internal/recognise"
)

type dupsCommand struct {
	At     float64 `help:"Pictures with this score or more are copies. The default is the model's block threshold." placeholder:"SCORE"`
	Turned bool    `help:"Also find mirrored, turned and cropped copies; takes several times as long."`
	Folder string  `arg:"" help:"Folder of pictures." predictor:"file"`
}

// alike is a picture of a group. Signal, score and distance compare it with the group's first picture.
type alike struct {
	Picture    string       `json:"picture"`
	Width      int          `json:"width"`
	Height     int          `json:"height"`
	Bytes      int          `json:"bytes"`
	Signal     event.Signal `json:"signal,omitempty"` // that finds it; empty for the first
	Score      *float64     `json:"score,omitempty"`
	Similarity *float64     `json:"similarity,omitempty"`
	PDQ        *int         `json:"pdq_distance,omitempty"` // only where PDQ matches
}

// groupOf is pictures of which any two are alike, the largest first.
type groupOf struct {
	Pictures []alike `json:"pictures"`
}

func (d *dupsCommand) Run(ctx context.Context, c *cli) error {
	x, err := c.extractor(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	at := d.At
	if at == 0 {
		at, _ = thresholds(x.Folder())
	}
	groups, err := c.groupFolder(ctx, x, d.Folder, at, d.Turned)
	if err != nil {
		return err
	}
	if err := c.printGroups(groups); err != nil {
		return err
	}
	copies, bytes := 0, 0
	for _, g := range groups {
		for _, p := range g.Pictures[1:] {
			copies++
			bytes += p.Bytes
		}
	}
	fmt.Fprintf(c.stderr, "%s of copies; the copies beside the largest of each group: %s, %.1f MB\n",
		plural(len(groups), "group"), plural(copies, "file"), float64(bytes)/1e6)
	return nil
}

func (c *cli) printGroups(groups []groupOf) error {
	var rows [][]string
	for i, g := range groups {
		for _, p := range g.Pictures {
			row := []string{strconv.Itoa(i + 1), cmp.Or(string(p.Signal), "-"), "-", "-", fmt.Sprintf("%dx%d", p.Width, p.Height), strconv.Itoa(p.Bytes), p.Picture}
			if p.Score != nil {
				row[2], row[3] = number(*p.Score), number(*p.Similarity)
			}
			rows = append(rows, row)
		}
	}
	return c.print(groups, "GROUP\tSIGNAL\tSCORE\tSIMILARITY\tSIZE\tBYTES\tPICTURE", rows)
}

// mostPairs bounds the memory of pairs to a few hundred megabytes.
const mostPairs = 10_000_000

// groupFolder groups the pictures of a folder such that any two of a group are alike.
func (c *cli) groupFolder(ctx context.Context, x *recognise.Extractor, folder string, at float64, turned bool) ([]groupOf, error) {
	a, err := c.album(ctx, x, folder, turned)
	if err != nil {
		return nil, err
	}
	pairs, err := dedupe.Pairs(ctx, &a.queries, a.flags(), float32(at), mostPairs)
	if err != nil {
		return nil, fmt.Errorf("%s at score %g: %w with --at", folder, at, err)
	}
	return a.groups(pairs), nil
}

// album holds the pictures of a folder, each file content once.
type album struct {
	files   [][]alike   // by content: the files that have it
	queries dedupe.Set  // the pictures as uploads
	turned  *dedupe.Set // the pictures as flags, in all of their views; nil: as uploads too
}

// flags returns the pictures as flags.
func (a *album) flags() *dedupe.Set {
	if a.turned != nil {
		return a.turned
	}
	return &a.queries
}

// album reads the folder's pictures. It reports other files, and leaves them out.
func (c *cli) album(ctx context.Context, x *recognise.Extractor, folder string, turned bool) (*album, error) {
	sources, err := c.expand([]string{folder})
	if err != nil {
		return nil, err
	}
	wanted := recognise.QueryViews()
	a := &album{}
	if turned {
		wanted, a.turned = recognise.TurnedViews(), &dedupe.Set{}
	}
	type read struct {
		sum [sha256.Size]byte
		recognise.Extracted
		bytes int
		err   error
	}
	reads := make([]read, len(sources))
	bar := progress(c, len(sources))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, source := range sources {
		group.Go(func() error {
			defer func() { _ = bar.Add(1) }()
			r := &reads[i]
			data, err := readLimited(ctx, c, source)
			if err != nil {
				r.err = err
				return ctx.Err()
			}
			r.sum, r.bytes = sha256.Sum256(data), len(data)
			r.Extracted, r.err = x.Extract(ctx, data, wanted)
			return ctx.Err()
		})
	}
	err = group.Wait()
	_ = bar.Finish()
	if err != nil {
		return nil, err
	}
	known := map[[sha256.Size]byte]int{}
	for i, r := range reads {
		if r.err != nil {
			fmt.Fprintf(c.stderr, "left out: %s: %s\n", printable(sources[i]), printable(r.err.Error()))
			continue
		}
		file, again := known[r.sum]
		if !again {
			file = len(a.files)
			known[r.sum] = file
			a.files = append(a.files, nil)
			a.add(file, r.Extracted)
		}
		a.files[file] = append(a.files[file], alike{Picture: sources[i], Width: r.Width, Height: r.Height, Bytes: r.bytes})
		reads[i] = read{} // free the vectors, which the sets hold
	}
	if len(a.files) == 0 {
		return nil, fmt.Errorf("no pictures in %s", folder)
	}
	return a, nil
}

// readLimited reads a source, unless ctx is done.
func readLimited(ctx context.Context, c *cli, source string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return read(ctx, source, c.MaxUploadBytes)
}

func (a *album) add(file int, p recognise.Extracted) {
	for _, v := range p.Vectors {
		look := dedupe.View{Vector: v.Vector, Penalty: v.Penalty, Hash: v.PDQ, Quality: v.Quality}
		if slices.Contains(recognise.QueryViews(), v.View) {
			a.queries.Add(file, look)
		}
		if a.turned != nil {
			look.Penalty += recognise.ViewPenalty(v.View)
			a.turned.Add(file, look)
		}
	}
}

// groups returns the groups that follow from pairs, and groups of equal files.
func (a *album) groups(pairs []dedupe.Pair) []groupOf {
	byFiles := make(map[[2]int32]dedupe.Pair, len(pairs))
	for _, p := range pairs {
		byFiles[[2]int32{p.A, p.B}] = p
	}
	grouped := map[int]bool{}
	all := dedupe.Groups(len(a.files), pairs)
	for _, files := range all {
		for _, f := range files {
			grouped[f] = true
		}
	}
	for f, places := range a.files {
		if len(places) > 1 && !grouped[f] {
			all = append(all, []int{f})
		}
	}
	slices.SortFunc(all, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	out := make([]groupOf, len(all))
	for i, files := range all {
		first := slices.MaxFunc(files, func(x, y int) int {
			p, q := a.files[x][0], a.files[y][0]
			return cmp.Or(cmp.Compare(p.Width*p.Height, q.Width*q.Height), cmp.Compare(p.Bytes, q.Bytes), cmp.Compare(y, x))
		})
		out[i].Pictures = slices.Clone(a.files[first])
		for k := range out[i].Pictures[1:] {
			same := &out[i].Pictures[k+1]
			one := 1.0
			same.Signal, same.Score, same.Similarity = event.SignalExact, &one, &one
		}
		for _, f := range files {
			if f != first {
				out[i].Pictures = append(out[i].Pictures, beside(a.files[f], byFiles[[2]int32{int32(min(f, first)), int32(max(f, first))}])...)
			}
		}
	}
	return out
}

// beside returns files of one content with their comparison to the group's first picture.
func beside(places []alike, p dedupe.Pair) []alike {
	score, similarity := float64(p.Score), float64(p.Similarity)
	all := slices.Clone(places)
	for i := range all {
		all[i].Signal, all[i].Score, all[i].Similarity = event.SignalEmbedding, &score, &similarity
		if p.Distance != dedupe.NoHash {
			distance := int(p.Distance)
			all[i].Signal, all[i].PDQ = event.SignalPDQ, &distance
		}
	}
	return all
}
