package hashlist

import "hash/maphash"

// Met knows the flags of a list that were met, by 64 bits each. It takes some 30 bytes of memory a flag.
type Met struct {
	seed maphash.Seed
	keys map[uint64]struct{}
}

// NewMet has met none.
func NewMet() *Met { return &Met{seed: maphash.MakeSeed(), keys: map[uint64]struct{}{}} }

// First reports whether no flag of the same picture and bank was met before: one of the same SHA-256, without one of the same
// MD5, and without either of the same SignalKey, as the library tells them apart.
func (m *Met) First(f Flag) bool {
	key := f.SHA256
	if key == nil {
		key = f.MD5
	}
	if key == nil {
		key = f.SignalKey()
	}
	var h maphash.Hash
	h.SetSeed(m.seed)
	_, _ = h.WriteString(f.Bank) // neither fails
	_ = h.WriteByte(0)
	_, _ = h.Write(key)
	sum := h.Sum64()
	if _, known := m.keys[sum]; known {
		return false
	}
	m.keys[sum] = struct{}{}
	return true
}
