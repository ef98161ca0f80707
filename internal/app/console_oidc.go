package app

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"moderator/internal/config"
	"moderator/internal/console"
)

// consoleOIDC returns how a provider signs users of the console in, or zero if none is set.
func consoleOIDC(c config.Console) (console.OIDC, error) {
	if c.ConsoleOIDCIssuer == "" {
		if c.ConsoleOIDCClient+c.ConsoleOIDCSecretFile+c.ConsoleOIDCURL != "" {
			return console.OIDC{}, errors.New("console-oidc-issuer is missing, wanted with the other settings of console-oidc")
		}
		return console.OIDC{}, nil
	}
	out := console.OIDC{Issuer: c.ConsoleOIDCIssuer, Client: c.ConsoleOIDCClient, Claim: c.ConsoleOIDCClaim, URL: c.ConsoleOIDCURL}
	errs := []error{httpsURL("console-oidc-issuer", out.Issuer), httpsURL("console-oidc-url", out.URL)}
	if out.Client == "" {
		errs = append(errs, errors.New("console-oidc-client is missing, wanted the console's id at the provider"))
	}
	secret, err := os.ReadFile(c.ConsoleOIDCSecretFile)
	out.Secret = strings.TrimSpace(string(secret))
	if err != nil || out.Secret == "" {
		errs = append(errs, fmt.Errorf("console-oidc-secret-file is %q, wanted a file with the console's secret at the provider", c.ConsoleOIDCSecretFile))
	}
	if len(c.ConsoleRoles) == 0 {
		errs = append(errs, errors.New("console-roles is missing, wanted NAME=ROLE for each user whom the provider signs in"))
	}
	return out, errors.Join(errs...)
}

// httpsURL checks an address to which codes and tokens are sent. Only loopback may do without TLS.
func httpsURL(setting, text string) error {
	u, err := url.Parse(text)
	if err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" {
		local, _ := isLoopback(u.Hostname() + ":0")
		if u.Scheme == "https" || u.Scheme == "http" && local {
			return nil
		}
	}
	return fmt.Errorf("%s is %q, wanted an address such as https://console.example.org", setting, text)
}
