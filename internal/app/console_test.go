package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
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

func TestSignInToTheConsoleIsSetUpWhollyOrNotAtAll(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("the secret\n"), 0o600))
	good := config.Console{
		ConsoleOIDCIssuer: "https://id.example.org/realm", ConsoleOIDCClient: "console", ConsoleOIDCSecretFile: secret,
		ConsoleOIDCURL: "http://127.0.0.1:8081", ConsoleOIDCClaim: "email", ConsoleRoles: []string{"ann=curator"},
	}
	set, err := consoleOIDC(good)
	require.NoError(t, err)
	require.Equal(t, console.OIDC{Issuer: good.ConsoleOIDCIssuer, Client: "console", Secret: "the secret", Claim: "email", URL: good.ConsoleOIDCURL}, set)
	set, err = consoleOIDC(config.Console{ConsoleOIDCClaim: "email"})
	require.NoError(t, err)
	require.Zero(t, set)
	for want, change := range map[string]func(*config.Console){
		"console-oidc-issuer is missing":                         func(c *config.Console) { c.ConsoleOIDCIssuer = "" },
		`console-oidc-issuer is "http://id.example.org"`:         func(c *config.Console) { c.ConsoleOIDCIssuer = "http://id.example.org" },
		`console-oidc-url is "console.example.org"`:              func(c *config.Console) { c.ConsoleOIDCURL = "console.example.org" },
		"console-oidc-client is missing":                         func(c *config.Console) { c.ConsoleOIDCClient = "" },
		`console-oidc-secret-file is "/none"`:                    func(c *config.Console) { c.ConsoleOIDCSecretFile = "/none" },
		"console-roles is missing, wanted NAME=ROLE for each us": func(c *config.Console) { c.ConsoleRoles = nil },
	} {
		bad := good
		change(&bad)
		_, err := consoleOIDC(bad)
		require.ErrorContains(t, err, want)
	}
}
