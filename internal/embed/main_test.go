package embed

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"moderator/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openModel opens f on the installed library and closes it when t ends. MODERATOR_TEST_PROVIDER runs tests that name no
// provider on another than auto's.
func openModel(t testing.TB, f *Folder, o Options) *Model {
	t.Helper()
	if o.Provider == "" {
		o.Provider = os.Getenv("MODERATOR_TEST_PROVIDER")
	}
	o.Library = testenv.ONNXRuntime(t)
	m, err := Open(t.Context(), f, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}
