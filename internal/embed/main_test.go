package embed

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"moderator/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openModel opens f on the installed library and closes it when t ends.
func openModel(t testing.TB, f *Folder, o Options) *Model {
	t.Helper()
	o.Library = testenv.ONNXRuntime(t)
	m, err := Open(t.Context(), f, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}
