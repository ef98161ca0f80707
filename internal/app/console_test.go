package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/console"
)

func TestRolesOfTheConsole(t *testing.T) {
	roles, err := consoleRoles([]string{"ann@example.org=curator", "cn=bob,ou=people=reviewer"})
	require.NoError(t, err)
	require.Equal(t, map[string]console.Role{"ann@example.org": console.Curator, "cn=bob,ou=people": console.Reviewer}, roles)
	for entry, want := range map[string]string{
		"ann": "wanted NAME=ROLE", "=viewer": "wanted NAME=ROLE", "ann=owner": "wanted viewer, reviewer, curator",
	} {
		_, err := consoleRoles([]string{entry})
		require.ErrorContains(t, err, want)
	}
}
