// Package matchdb is the library of flagged pictures in PostgreSQL with pgvector: its schema, its banks and flags, and
// the search for what an upload resembles.
//
// The life of a flag:
//
//	Flag ──► active ──► Retract ──► retracted: the row stays with who, when and why; what it matched by is set aside for Restore
//	           │
//	           └─ Flag of the same file in the same bank: Existing; views that this model has not yet are added
//
// A flag counts in every Match that begins after Flag returned, and no longer in one that begins after Retract
// returned: see Candidate indexes.
//
// # Score
//
// score(q, r) = q·r − penalty(q) − penalty(r), for L2-normalised q and r. A flag is Stored as the halfvec [r, 1 − penalty(r)] and
// the query is [q, 1], so that pgvector's inner product says the score: −(stored <#> query) − penalty(q) − 1.
// The similarity, q·r, is the score with both penalties added again. Half precision has 11 significant bits; a score differs
// from the float32 formula by less than Tolerance.
//
// # Candidate indexes
//
// A process that matches keeps in memory what it finds candidates by: a sketch of each embedding (package sketch), each PDQ hash
// (package pdqindex) and 64 keypoints of each flag (package pointindex). With each it keeps a snapshot of the server's
// transactions, whose rows it has read. One statement then compares the vectors or hashes of the candidates, and of the rows that the
// snapshot does not see; of keypoints it returns those to be compared:
//
//	query ──► index: ids ──► SQL: flagged_embedding, flagged_pdq or flagged_keypoints of those ids
//	                         SQL: the same WHERE NOT pg_visible_in_snapshot(added, snapshot) ──► hits
//
// So no flag waits for the indexes, which read what was added each second. A retracted flag has no rows: the statement reports it,
// and it leaves the index. Postgres' own indexes were used before: HNSW missed one of 1,000 copies in 200,000 embeddings and 17 in a
// million, and took three times as long to search; GIN over hashes missed nothing, and kept Postgres busier than moderator was with
// all else (docs/decisions/0001-no-hnsw.md).
//
// # Completeness
//
// Match gives the best hit of every enabled bank of which any reaches the bank's lowest threshold. A top-k search alone
// does not: k near copies in one bank hide all others, and so do a disabled bank's. A search per bank does, and costs
// every upload a search a bank. So one search takes the k nearest of all banks, and is trusted for a bank without a hit
// only where it proves that there can be none: the last of the k is below the bank's lowest threshold. Where it is not (more
// than k near copies) that bank is scanned exactly, in the same statement. Of hashes within the distance none is missed, and the k nearest
// of each bank are taken.
//
// # Lists
//
// An Import loads flags by the million, in parts: each is copied into tables of the session and stored from there in one
// transaction, and a part that is loaded again changes nothing. Matching goes on meanwhile.
package matchdb
