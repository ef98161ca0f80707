package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/console"
)

// ask requests a page that needs no other server.
func ask(t *testing.T, c console.Config, change func(*http.Request)) *http.Response {
	t.Helper()
	served, err := console.New(c, console.Parts{})
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodGet, "http://console.example/compare", nil)
	r.Header.Set("Accept", "text/html")
	r.RemoteAddr = "10.0.0.7:1234"
	change(r)
	w := httptest.NewRecorder()
	served.Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestWhoGetsIn(t *testing.T) {
	byToken := console.Config{Token: "0123456789abcdef", DefaultUser: "ann"}
	byProxy := console.Config{UserHeader: "X-User", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, test := range map[string]struct {
		config console.Config
		change func(*http.Request)
		want   int
	}{
		"nothing":                 {byToken, func(*http.Request) {}, 401},
		"bearer":                  {byToken, header("Authorization", "Bearer 0123456789abcdef"), 200},
		"wrong bearer":            {byToken, header("Authorization", "Bearer 0123456789abcdee"), 401},
		"empty bearer":            {byProxy, header("Authorization", "Bearer "), 401},
		"a cookie without token":  {byProxy, header("Cookie", "moderator_session="), 401},
		"the token as cookie":     {byToken, header("Cookie", "moderator_session=0123456789abcdef"), 401},
		"a user that none names":  {byToken, header("X-User", "eve"), 401},
		"a proxy's user":          {byProxy, header("X-User", "bob"), 200},
		"a proxy's empty user":    {byProxy, header("X-User", " "), 401},
		"a user of somebody else": {byProxy, func(r *http.Request) { r.Header.Set("X-User", "bob"); r.RemoteAddr = "192.0.2.1:99" }, 401},
		"wrong token in address":  {byToken, func(r *http.Request) { r.URL.RawQuery = "token=x" }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			response := ask(t, test.config, test.change)
			require.Equal(t, test.want, response.StatusCode)
			require.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'")
			require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
		})
	}
}

func TestTokenInTheAddressBecomesACookie(t *testing.T) {
	c := console.Config{Token: "0123456789abcdef", DefaultUser: "ann"}
	for path, want := range map[string]string{"/compare": "/compare", `/\evil.example`: "/evil.example"} {
		response := ask(t, c, func(r *http.Request) { r.URL = &url.URL{Path: path, RawQuery: "token=" + c.Token} })
		require.Equal(t, http.StatusSeeOther, response.StatusCode, path)
		require.Equal(t, want, response.Header.Get("Location"), path)
		cookie := response.Cookies()[0]
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
		require.NotContains(t, cookie.Value, c.Token)
		again := ask(t, c, func(r *http.Request) { r.AddCookie(cookie) })
		require.Equal(t, http.StatusForbidden, again.StatusCode, "nobody is named yet")
		named := signedIn(t, c, func(r *http.Request) { r.AddCookie(cookie) }, url.Values{"name": {"Bob"}, "to": {path}})
		require.Equal(t, want, named.Header.Get("Location"))
		require.Positive(t, named.Cookies()[1].MaxAge, "the console asks for the name once")
		require.Equal(t, http.StatusOK, ask(t, c, func(r *http.Request) {
			r.AddCookie(cookie)
			r.AddCookie(named.Cookies()[1])
		}).StatusCode)
		changed := c
		changed.Token = "another token 16b"
		require.Equal(t, http.StatusUnauthorized, ask(t, changed, func(r *http.Request) { r.AddCookie(cookie) }).StatusCode)
	}
}

func TestOtherSitesCannotPost(t *testing.T) {
	c := console.Config{Token: "0123456789abcdef", DefaultUser: "ann", Role: console.Curator}
	for path, own := range map[string]int{ // what the console's own page gets
		"/review/0": 404, "/review/0/take-back": 404, "/decisions/0/flag": 400, "/decisions/0/allow": 400, "/banks": 400, "/banks/spam": 400,
		"/flags/0/retract": 400, "/flags/0/restore": 400, "/flags/0/release": 400, "/logout": 303,
	} {
		post := func(header, value string) int {
			return ask(t, c, func(r *http.Request) {
				r.Method, r.URL.Path = http.MethodPost, path
				r.Header.Set("Authorization", "Bearer "+c.Token)
				r.Header.Set(header, value)
			}).StatusCode
		}
		require.Equal(t, http.StatusForbidden, post("Sec-Fetch-Site", "cross-site"), path)
		require.Equal(t, http.StatusForbidden, post("Origin", "https://evil.example"), path)
		require.Equal(t, own, post("Sec-Fetch-Site", "same-origin"), path)
		require.Equal(t, own, post("Origin", "http://console.example"), path)
	}
}

// signedIn submits the sign-in form.
func signedIn(t *testing.T, c console.Config, change func(*http.Request), form url.Values) *http.Response {
	return ask(t, c, func(r *http.Request) {
		*r = *httptest.NewRequest(http.MethodPost, "http://console.example/login", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "text/html")
		change(r)
	})
}

func TestLogin(t *testing.T) {
	c := console.Config{Token: "0123456789abcdef", DefaultUser: "ann"}
	login := func(form url.Values) *http.Response { return signedIn(t, c, func(*http.Request) {}, form) }
	require.Equal(t, http.StatusUnauthorized, login(url.Values{"token": {"guess"}, "name": {"Bob"}}).StatusCode)
	require.Equal(t, http.StatusUnauthorized, login(url.Values{"name": {"Bob"}}).StatusCode)
	require.Equal(t, http.StatusForbidden, login(url.Values{"token": {c.Token}, "name": {" "}}).StatusCode)
	response := login(url.Values{"token": {c.Token}, "name": {"Bob <b>&</b> Ö"}})
	require.Equal(t, "/", response.Header.Get("Location"))
	page := ask(t, c, func(r *http.Request) {
		for _, cookie := range response.Cookies() {
			r.AddCookie(cookie)
		}
	})
	var text strings.Builder
	require.NoError(t, page.Write(&text))
	require.Contains(t, text.String(), "Bob &lt;b&gt;&amp;&lt;/b&gt; Ö")
}

// Cookies are Secure if the browser's connection is encrypted, which only a proxy knows if there is one.
func TestCookiesAreSecureBehindTLS(t *testing.T) {
	c := console.Config{Token: "0123456789abcdef", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for name, test := range map[string]struct {
		from, proto string
		want        bool
	}{
		"a proxy with TLS":      {"10.0.0.7:1234", "https", true},
		"two proxies":           {"10.0.0.7:1234", "HTTPS, http", true},
		"a proxy without":       {"10.0.0.7:1234", "http", false},
		"no proxy":              {"10.0.0.7:1234", "", false},
		"said by somebody else": {"192.0.2.1:1234", "https", false},
		"TLS behind plain HTTP": {"10.0.0.7:1234", "http, https", false},
	} {
		t.Run(name, func(t *testing.T) {
			response := signedIn(t, c, func(r *http.Request) {
				r.RemoteAddr = test.from
				r.Header.Set("X-Forwarded-Proto", test.proto)
			}, url.Values{"token": {c.Token}, "name": {"Bob"}})
			require.Len(t, response.Cookies(), 2)
			for _, cookie := range response.Cookies() {
				require.Equal(t, test.want, cookie.Secure, cookie.Name)
			}
		})
	}
}

func TestRolesAreOfUsersWhomAProxyNames(t *testing.T) {
	c := console.Config{
		Token: "0123456789abcdef", DefaultUser: "program", UserHeader: "X-User", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Role: console.Viewer, Roles: map[string]console.Role{"ann": console.Curator},
	}
	shown := func(change func(*http.Request)) string {
		var text strings.Builder
		require.NoError(t, ask(t, c, change).Write(&text))
		return text.String()
	}
	require.Contains(t, shown(func(r *http.Request) { r.Header.Set("X-User", "ann") }), "ann · curator")
	require.Contains(t, shown(func(r *http.Request) { r.Header.Set("X-User", "bob") }), "bob · viewer")
	require.Contains(t, shown(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+c.Token) }), "program · viewer")
	session := signedIn(t, c, func(*http.Request) {}, url.Values{"token": {c.Token}, "name": {"ann"}})
	page := shown(func(r *http.Request) {
		for _, cookie := range session.Cookies() {
			r.AddCookie(cookie)
		}
	})
	require.Contains(t, page, "ann · viewer", "anybody with the token can give this name")
	require.Contains(t, page, "Sign out")
	_, err := console.ParseRole("owner")
	require.ErrorContains(t, err, "wanted viewer, reviewer, curator")
}

func TestSigningOutEndsTheSession(t *testing.T) {
	c := console.Config{Token: "0123456789abcdef"}
	out := ask(t, c, func(r *http.Request) { r.Method, r.URL.Path = http.MethodPost, "/logout" })
	require.Equal(t, http.StatusSeeOther, out.StatusCode)
	require.Len(t, out.Cookies(), 3)
	for _, cookie := range out.Cookies() {
		require.Negative(t, cookie.MaxAge)
	}
}
