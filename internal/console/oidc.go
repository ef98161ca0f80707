package console

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDC configures sign-in by a provider of OpenID Connect. The zero value means none.
type OIDC struct {
	Issuer         string
	Client, Secret string
	Claim          string // of the ID token that has the user's name
	URL            string // of the console, as browsers see it
}

const (
	signInCookie  = "moderator_signin" // of a sign-in that has begun
	personCookie  = "moderator_person" // of a user who has signed in
	callbackPath  = "/oidc/callback"
	signInTime    = 10 * time.Minute
	personTime    = 12 * time.Hour
	providerLimit = 10 * time.Second // for one answer of the provider
)

// provider is discovered at the first sign-in, so that the console starts without it.
type provider struct {
	mu    sync.Mutex
	found *oidc.Provider
}

func (p *provider) get(ctx context.Context, issuer string) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		found, err := oidc.NewProvider(ctx, issuer)
		if err != nil {
			return nil, err
		}
		p.found = found
	}
	return p.found, nil
}

// oidcContext is the context of requests to the provider.
func oidcContext(r *http.Request) context.Context {
	return oidc.ClientContext(r.Context(), &http.Client{Timeout: providerLimit})
}

func (c *Console) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.OIDC.Client, ClientSecret: c.OIDC.Secret, Endpoint: p.Endpoint(),
		RedirectURL: strings.TrimRight(c.OIDC.URL, "/") + callbackPath, Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}
}

// beginSignIn sends the browser to the provider. A cookie remembers what the provider must return.
func (c *Console) beginSignIn(w http.ResponseWriter, r *http.Request) {
	p, err := c.provider.get(oidcContext(r), c.OIDC.Issuer)
	if err != nil {
		c.refuseSignIn(w, r, fmt.Errorf("the provider does not answer: %w", err))
		return
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	to := base64.RawURLEncoding.EncodeToString([]byte(r.URL.Query().Get("to")))
	c.setCookie(w, r, signInCookie, strings.Join([]string{state, nonce, verifier, to}, "."), signInTime)
	http.Redirect(w, r, c.oauth(p).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), http.StatusSeeOther)
}

// endSignIn handles the provider's answer.
func (c *Console) endSignIn(w http.ResponseWriter, r *http.Request) {
	name, to, err := c.signedIn(r)
	if err != nil {
		c.refuseSignIn(w, r, err)
		return
	}
	c.setCookie(w, r, signInCookie, "", -time.Second)
	if _, named := c.Roles[name]; !named {
		c.showLogin(w, r, http.StatusForbidden, signIn{Token: c.Token != "", OIDC: true, To: to}, fmt.Sprintf("%s may not use this console: --console-roles must give this name a role.", cut(name, maxNameBytes)))
		return
	}
	c.setCookie(w, r, personCookie, c.sealed(name, time.Now().Add(personTime)), personTime)
	http.Redirect(w, r, localPath(to), http.StatusSeeOther)
}

// signedIn returns the name that the provider vouches for, and the path to show.
func (c *Console) signedIn(r *http.Request) (name, to string, err error) {
	cookie, err := r.Cookie(signInCookie)
	if err != nil {
		return "", "", errors.New("this sign-in has not begun in this browser, or took longer than ten minutes")
	}
	parts := strings.Split(cookie.Value, ".")
	q := r.URL.Query()
	if len(parts) != 4 || subtle.ConstantTimeCompare([]byte(parts[0]), []byte(q.Get("state"))) != 1 {
		return "", "", errors.New("the answer belongs to another sign-in")
	}
	if refused := q.Get("error"); refused != "" {
		return "", "", fmt.Errorf("the provider refused: %s %s", cut(refused, 100), cut(q.Get("error_description"), 200))
	}
	ctx := oidcContext(r)
	p, err := c.provider.get(ctx, c.OIDC.Issuer)
	if err != nil {
		return "", "", err
	}
	tokens, err := c.oauth(p).Exchange(ctx, q.Get("code"), oauth2.VerifierOption(parts[2]))
	if err != nil {
		return "", "", fmt.Errorf("the provider does not take the code: %w", err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := p.Verifier(&oidc.Config{ClientID: c.OIDC.Client}).Verify(ctx, raw)
	if err != nil {
		return "", "", err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(parts[1])) != 1 {
		return "", "", errors.New("the ID token belongs to another sign-in")
	}
	path, err := base64.RawURLEncoding.DecodeString(parts[3])
	if err != nil {
		return "", "", errors.New("the cookie of this sign-in is damaged")
	}
	name, err = c.nameIn(id)
	return name, string(path), err
}

// nameIn returns the claim with the user's name. An address that the provider has not verified may be anybody's.
func (c *Console) nameIn(id *oidc.IDToken) (string, error) {
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return "", err
	}
	name, _ := claims[c.OIDC.Claim].(string)
	if !validName(name) {
		return "", fmt.Errorf("the ID token has no claim %q with a name: --console-oidc-claim sets which one has it", c.OIDC.Claim)
	}
	if verified, known := claims["email_verified"].(bool); c.OIDC.Claim == "email" && known && !verified {
		return "", fmt.Errorf("the provider has not verified the address %s", cut(name, maxNameBytes))
	}
	return name, nil
}

func (c *Console) refuseSignIn(w http.ResponseWriter, r *http.Request, err error) {
	c.Logger.Warn("console: sign-in failed", "error", err)
	c.showLogin(w, r, http.StatusForbidden, signIn{Token: c.Token != "", OIDC: true}, fmt.Sprintf("The sign-in failed: %s.", cut(err.Error(), 300)))
}

// sealed returns a cookie's value that names a user until a time. The client secret is the key: all moderators have it.
func (c *Console) sealed(name string, until time.Time) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(name)) + "." + strconv.FormatInt(until.Unix(), 10)
	mac := hmac.New(sha256.New, []byte("moderator console person "+c.OIDC.Secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// person returns the user of a cookie that sealed has made, if it has not expired.
func (c *Console) person(r *http.Request) (name string, ok bool) {
	cookie, err := r.Cookie(personCookie)
	if err != nil || c.OIDC.Secret == "" {
		return "", false
	}
	parts := strings.Split(cookie.Value, ".")
	if len(parts) != 3 {
		return "", false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[0])
	until, wrong := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || wrong != nil || time.Now().Unix() >= until {
		return "", false
	}
	want := c.sealed(string(text), time.Unix(until, 0))
	return string(text), subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(want)) == 1
}

// setCookie sets a cookie that follows the provider's redirect back: SameSite=Strict would not.
func (c *Console) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(age / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.overTLS(r),
	})
}

// localPath returns a path of this host: browsers take the text after "//", or "/\", for a host.
func localPath(to string) string {
	return (&url.URL{Path: "/" + strings.TrimLeft(to, `/\`)}).String()
}
