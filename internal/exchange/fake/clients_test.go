package fake

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The clients of python-threatexchange read from the fakes what is in them, and give feedback that the fakes understand.
func TestClientsOfOthers(t *testing.T) {
	if exec.CommandContext(t.Context(), "python3", "-c", "import threatexchange").Run() != nil {
		t.Skip("python-threatexchange is not installed: `pip install threatexchange`")
	}
	ncmec, stopNCII := &Source{Records: 250, Page: 100}, &Source{Records: 250, Page: 100}
	for _, s := range []*Source{ncmec, stopNCII} {
		at := Begin.Add(24 * time.Hour)
		for i := 10; i < 100; i += 10 {
			s.Delete(i, at)
		}
		s.Vote(11, "up", at)
		s.Vote(12, "down", at)
	}
	first, second := httptest.NewServer(ncmec.NCMEC()), httptest.NewServer(stopNCII.StopNCII())
	defer first.Close()
	defer second.Close()
	var faults bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "python3", "testdata/clients.py", first.URL, second.URL, User, Password, FeedbackKey)
	cmd.Env, cmd.Stderr = append(os.Environ(), "TZ=UTC"), &faults // its NCMEC client takes the local time for UTC
	out, err := cmd.Output()
	require.NoError(t, err, faults.String())

	want := []string{"ncmec upvote image11", "ncmec downvote image12"}
	ncmec.Live(func(r Record) {
		if r.HasMD5() {
			want = append(want, "ncmec md5 "+r.MD5)
		}
		want = append(want, "ncmec sha1 "+r.SHA1, "ncmec pdna a1a1...", "ncmec pdq "+r.PDQ)
	})
	stopNCII.Live(func(r Record) { want = append(want, "stopncii pdq "+r.PDQ) })
	require.ElementsMatch(t, want, strings.Split(strings.TrimSpace(string(out)), "\n"))
	require.Equal(t, []string{"confirmed 42/image2/PDQ", "false positive 42/image5/PDQ"}, ncmec.Feedback())
	require.Equal(t, []string{"seen " + strings.Repeat("ab", 32)}, stopNCII.Feedback())
}
