package console_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"moderator/internal/console"
)

// identities is a provider of OpenID Connect with the authorization code flow and PKCE. It signs everybody in as claims say.
type identities struct {
	*httptest.Server
	t      *testing.T
	key    *rsa.PrivateKey
	claims map[string]any
	nonce  string // instead of the one that was asked for
	asked  url.Values
}

func startIdentities(t *testing.T) *identities {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p := &identities{t: t, key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		p.asked = r.URL.Query()
		back := p.asked.Get("redirect_uri") + "?" + url.Values{"code": {"the code"}, "state": {p.asked.Get("state")}}.Encode()
		http.Redirect(w, r, back, http.StatusSeeOther)
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *identities) answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (p *identities) token(w http.ResponseWriter, r *http.Request) {
	client, secret, _ := r.BasicAuth()
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	secret, _ = url.QueryUnescape(secret) // RFC 6749, section 2.3.1
	if client != "console" || secret != "the secret" || r.PostFormValue("code") != "the code" ||
		p.asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]) {
		http.Error(w, `{"error": "invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{
		"iss": p.URL, "aud": "console", "sub": "1", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(), "nonce": p.asked.Get("nonce"),
	}
	for name, value := range p.claims {
		claims[name] = value
	}
	if p.nonce != "" {
		claims["nonce"] = p.nonce
	}
	payload, _ := json.Marshal(claims)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: "1"}}, nil)
	if err != nil {
		p.t.Error(err)
		return
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		p.t.Error(err)
		return
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		p.t.Error(err)
	}
	p.answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": raw})
}

// browser opens pages of a console with its cookies.
type browser struct {
	t *testing.T
	http.Client
	console *httptest.Server
}

func newBrowser(t *testing.T, served *httptest.Server) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, Client: http.Client{Jar: jar}, console: served}
}

func (b *browser) open(path string) (status int, at, body string) {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.console.URL+path, nil)
	require.NoError(b.t, err)
	r.Header.Set("Accept", "text/html")
	response, err := b.Do(r)
	require.NoError(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return response.StatusCode, response.Request.URL.Path, string(text)
}

func TestSignInByAProvider(t *testing.T) {
	p := startIdentities(t)
	served := httptest.NewUnstartedServer(nil)
	address := "http://" + served.Listener.Addr().String()
	c, err := console.New(console.Config{
		OIDC:  console.OIDC{Issuer: p.URL, Client: "console", Secret: "the secret", Claim: "email", URL: address},
		Roles: map[string]console.Role{"ann@example.org": console.Reviewer}, Role: console.Curator,
		UserHeader: "X-User", Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	}, console.Parts{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	require.NoError(t, err)
	served.Config.Handler = c.Handler()
	served.Start()
	t.Cleanup(served.Close)

	b := newBrowser(t, served)
	status, _, body := b.open("/compare")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, body, `href="/oidc/start?to=%2fcompare"`)
	require.NotContains(t, body, `name="token"`)

	p.claims = map[string]any{"email": "ann@example.org", "email_verified": true}
	status, at, body := b.open("/oidc/start?to=%2fcompare")
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, "/compare", at)
	require.Contains(t, body, "ann@example.org · reviewer")
	require.Contains(t, body, "Sign out")
	_, at, _ = newBrowser(t, served).open("/oidc/start?to=//evil.example/compare")
	require.Equal(t, "/evil.example/compare", at, "a path of this host")

	for name, test := range map[string]struct {
		claims map[string]any
		nonce  string
		want   string
	}{
		"a name without a role": {map[string]any{"email": "eve@example.org"}, "", "--console-roles must give this name a role"},
		"not verified":          {map[string]any{"email": "ann@example.org", "email_verified": false}, "", "has not verified"},
		"no name":               {map[string]any{}, "", "no claim &#34;email&#34;"},
		"another's token":       {map[string]any{"email": "ann@example.org", "aud": "another"}, "", "expected audience"},
		"an expired token":      {map[string]any{"email": "ann@example.org", "exp": 1}, "", "expired"},
		"another sign-in":       {map[string]any{"email": "ann@example.org"}, "another", "another sign-in"},
	} {
		t.Run(name, func(t *testing.T) {
			p.claims, p.nonce = test.claims, test.nonce
			b := newBrowser(t, served)
			status, _, body := b.open("/oidc/start")
			require.Equal(t, http.StatusForbidden, status)
			require.Contains(t, body, test.want)
			status, _, _ = b.open("/compare")
			require.Equal(t, http.StatusUnauthorized, status, "nobody is signed in")
		})
	}
	p.claims, p.nonce = map[string]any{"email": "ann@example.org"}, ""
	status, _, body = b.open("/oidc/callback?code=x&state=y")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, body, "has not begun in this browser")
	stranger := newBrowser(t, served)
	home, err := url.Parse(served.URL)
	require.NoError(t, err)
	stranger.Jar.SetCookies(home, []*http.Cookie{{Name: "moderator_signin", Value: "state.nonce.verifier.", Path: "/"}})
	_, _, body = stranger.open("/oidc/callback?code=x&state=y")
	require.Contains(t, body, "belongs to another sign-in")
	_, _, body = stranger.open("/oidc/callback?error=access_denied&state=state")
	require.Contains(t, body, "access_denied")

	// Nobody makes such a cookie without the secret.
	for _, cookie := range b.Jar.Cookies(home) {
		if cookie.Name != "moderator_person" {
			continue
		}
		parts := strings.Split(cookie.Value, ".")
		forged := base64.RawURLEncoding.EncodeToString([]byte("carla")) + "." + parts[1] + "." + parts[2]
		eve := newBrowser(t, served)
		eve.Jar.SetCookies(home, []*http.Cookie{{Name: cookie.Name, Value: forged, Path: "/"}})
		status, _, _ := eve.open("/compare")
		require.Equal(t, http.StatusUnauthorized, status)
		return
	}
	t.Fatal("the browser has no cookie of its user")
}
