package matchdb

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"moderator/internal/pdq"
)

// pdqCheck holds what is found by PDQ hashes against all of them.
type pdqCheck struct {
	db      *DB
	banks   map[int]limit
	options VerifyOptions
	random  *rand.Rand

	queries []pdq.Hash
	best    []map[int]nearestHash // for each query, by bank
}

// nearestHash is the row of a bank that differs least.
type nearestHash struct {
	distance int
	image    uuid.UUID
	view     string
}

// hashRow is one row as it is compared.
type hashRow struct {
	bank int
	hash pdq.Hash
	nearestHash
}

func (c *pdqCheck) run(ctx context.Context) (Agreement, error) {
	if err := c.draw(ctx); err != nil {
		return Agreement{}, err
	}
	a := Agreement{Queries: len(c.queries)}
	var err error
	if a.Rows, err = c.scan(ctx); err != nil {
		return a, err
	}
	hits := make([][]HashHit, len(c.queries))
	err = inParts(ctx, len(c.queries), 32, func(ctx context.Context, from, to int) error {
		queries := make([]HashQuery, to-from)
		for i := range queries {
			queries[i].PDQ = []PDQ{{Hash: c.queries[from+i], Quality: 100}}
		}
		found, err := c.db.MatchHashes(ctx, queries)
		copy(hits[from:to], found)
		return err
	})
	if err != nil {
		return a, err
	}
	for i, best := range c.best {
		for id, flag := range best {
			if err := c.judge(ctx, &a, c.banks[id].name, flag, hits[i]); err != nil {
				return a, err
			}
		}
	}
	return a, nil
}

// draw makes the queries from a sample of the rows.
func (c *pdqCheck) draw(ctx context.Context) error {
	var all int64
	if err := c.db.pool.QueryRow(ctx, "SELECT count(*) FROM flagged_pdq").Scan(&all); err != nil {
		return err
	}
	rows, err := c.db.pool.Query(ctx, fmt.Sprintf("SELECT hash FROM flagged_pdq TABLESAMPLE BERNOULLI (%g) REPEATABLE (%d)",
		sampled(c.options.Sample, all), c.options.Seed))
	if err != nil {
		return err
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[pgtype.Bits])
	if err != nil || len(stored) == 0 {
		return err
	}
	for i := range c.options.Sample {
		hash := pdq.Hash(stored[i%len(stored)].Bytes)
		flips := c.random.IntN(pdq.MaxDistance + 1)
		if i%4 == 3 { // a hash of another picture differs in 128 bits
			flips = pdq.MaxDistance + 1 + c.random.IntN(pdq.Bits/2-pdq.MaxDistance)
		}
		for _, bit := range c.random.Perm(pdq.Bits)[:flips] {
			hash[bit/8] ^= 1 << (bit % 8)
		}
		c.queries = append(c.queries, hash)
		c.best = append(c.best, map[int]nearestHash{})
	}
	return nil
}

// scan compares every row with every query.
func (c *pdqCheck) scan(ctx context.Context) (int64, error) {
	rows, err := c.db.pool.Query(ctx, "SELECT image_id, bank_id, view, hash FROM flagged_pdq")
	if err != nil {
		return 0, err
	}
	var all int64
	var block []hashRow
	flush := func() error {
		err := c.compare(ctx, block)
		all += int64(len(block))
		block = block[:0]
		return err
	}
	var row hashRow
	var bits pgtype.Bits
	_, err = pgx.ForEachRow(rows, []any{&row.image, &row.bank, &row.view, &bits}, func() error {
		row.hash = pdq.Hash(bits.Bytes)
		if block = append(block, row); len(block) == 8*scanned {
			return flush()
		}
		return nil
	})
	if err != nil {
		return all, err
	}
	return all, flush()
}

func (c *pdqCheck) compare(ctx context.Context, rows []hashRow) error {
	return inParts(ctx, len(c.queries), part, func(_ context.Context, from, to int) error {
		for i := from; i < to; i++ {
			for _, row := range rows {
				distance := row.hash.Distance(c.queries[i])
				if distance > pdq.MaxDistance {
					continue
				}
				if _, enabled := c.banks[row.bank]; !enabled {
					continue
				}
				if old, ok := c.best[i][row.bank]; !ok || distance < old.distance {
					c.best[i][row.bank] = nearestHash{distance, row.image, row.view}
				}
			}
		}
		return nil
	})
}

// judge counts one bank's verdict on a query: any hit blocks.
func (c *pdqCheck) judge(ctx context.Context, a *Agreement, bank string, flag nearestHash, hits []HashHit) error {
	for _, h := range hits {
		if h.Bank == bank {
			a.Expected++
			a.Found++
			return nil
		}
	}
	var there bool // it may have been retracted since the rows were read
	err := c.db.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM flagged_pdq e JOIN bank b ON b.id = e.bank_id AND b.enabled
		WHERE e.image_id = $1 AND e.view = $2)`, flag.image, flag.view).Scan(&there)
	if err != nil || !there {
		return err
	}
	a.Expected++
	if over := float64(pdq.MaxDistance - flag.distance); a.Worst == nil || over > a.Worst.Over {
		a.Worst = &Miss{FlaggedID: flag.image, Bank: bank, View: flag.view, Distance: flag.distance, Over: over}
	}
	return nil
}
