package console

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	sessionCookie = "moderator_session"
	nameCookie    = "moderator_name"
	maxNameBytes  = 100
)

// secured sets what holds for every answer. Nothing is kept in caches: pictures and notes may be what nobody may keep.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

type userKey struct{}

// user is who asks; admit has seen to it that there is one.
func user(r *http.Request) string {
	name, _ := r.Context().Value(userKey{}).(string)
	return name
}

// admit lets those through who bring the token, or whom a trusted proxy names.
func (c *Console) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.URL.Query().Get("token"); token != "" && r.Method == http.MethodGet && c.rightToken(token) {
			c.enter(w, r, "")
			return
		}
		name, ok := c.identify(r)
		if !ok {
			c.showLogin(w, r, "")
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, name)))
	})
}

func (c *Console) identify(r *http.Request) (name string, ok bool) {
	if c.UserHeader != "" && c.fromProxy(r) {
		if name := r.Header.Get(c.UserHeader); validName(name) {
			return name, true
		}
	}
	if bearer, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found && c.rightToken(bearer) {
		return c.DefaultUser, true
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || c.Token == "" || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(c.session())) != 1 {
		return "", false
	}
	name = c.DefaultUser
	if cookie, err := r.Cookie(nameCookie); err == nil {
		if given, err := url.QueryUnescape(cookie.Value); err == nil && validName(given) {
			name = given
		}
	}
	return name, true
}

func (c *Console) rightToken(token string) bool {
	return c.Token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(c.Token)) == 1
}

// session is the cookie of those who gave the token: it is no use elsewhere, and none after the token has changed.
func (c *Console) session() string {
	mac := hmac.New(sha256.New, []byte(c.Token))
	mac.Write([]byte("moderator console"))
	return hex.EncodeToString(mac.Sum(nil))
}

func (c *Console) fromProxy(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	for _, proxy := range c.Proxies {
		if proxy.Contains(from.Addr().Unmap()) {
			return true
		}
	}
	return false
}

func validName(name string) bool {
	return strings.TrimSpace(name) != "" && len(name) <= maxNameBytes && utf8.ValidString(name)
}

// enter gives the cookie and shows the page that was asked for, without the token in its address.
func (c *Console) enter(w http.ResponseWriter, r *http.Request, name string) {
	cookie := func(key, value string) {
		http.SetCookie(w, &http.Cookie{
			Name: key, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
		})
	}
	cookie(sessionCookie, c.session())
	if validName(name) {
		cookie(nameCookie, url.QueryEscape(name))
	}
	// Only a path of ours: what follows "//", or "/\" for some browsers, would be a host.
	http.Redirect(w, r, (&url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, `/\`)}).String(), http.StatusSeeOther)
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	if !c.rightToken(r.PostFormValue("token")) {
		c.showLogin(w, r, "That is not the token.")
		return
	}
	r.URL.Path = "/"
	c.enter(w, r, r.PostFormValue("name"))
}

func (c *Console) showLogin(w http.ResponseWriter, r *http.Request, wrong string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="moderator"`)
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, "the console wants its token: Authorization: Bearer …", http.StatusUnauthorized)
		return
	}
	c.pages.write(w, c.Logger, http.StatusUnauthorized, view{Page: "login", Title: "Sign in", Problem: wrong, Data: c.Token != ""})
}
