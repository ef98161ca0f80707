package console

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	sessionCookie = "moderator_session"
	nameCookie    = "moderator_name"
	maxNameBytes  = 100
)

// secured sets the headers of all answers. Browsers must not cache them: storing some pictures is illegal.
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

type personKey struct{}

// person is who sends a request. admit has set it.
type person struct {
	name    string
	role    Role
	signOut bool // the browser's session can be ended here
}

func personOf(r *http.Request) person {
	p, _ := r.Context().Value(personKey{}).(person)
	return p
}

func user(r *http.Request) string { return personOf(r).name }

func roleOf(r *http.Request) Role { return personOf(r).role }

// admit passes requests on that have the token, or a user named by a trusted proxy.
func (c *Console) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.URL.Query().Get("token"); token != "" && r.Method == http.MethodGet && c.rightToken(token) {
			c.enter(w, r, "", r.URL.Path)
			return
		}
		who, ok := c.identify(r)
		switch {
		case !ok:
			c.showLogin(w, r, http.StatusUnauthorized, signIn{Token: c.Token != "", OIDC: c.OIDC.Issuer != "", To: r.URL.Path}, "")
			return
		case who.name == "":
			c.showLogin(w, r, http.StatusForbidden, signIn{Name: true, To: r.URL.Path}, "")
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), personKey{}, who)))
	})
}

// identify returns the user, and whether the user may use the console. The name is "" if a browser has the token and the user
// has not given a name yet. Roles are of users whom a proxy or a provider has identified: others can give any name.
func (c *Console) identify(r *http.Request) (who person, ok bool) {
	who.role = c.Role
	if c.UserHeader != "" && c.fromProxy(r) {
		if name := r.Header.Get(c.UserHeader); validName(name) {
			if role, named := c.Roles[name]; named {
				who.role = role
			}
			who.name = name
			return who, true
		}
	}
	if name, ok := c.person(r); ok {
		if role, named := c.Roles[name]; named {
			return person{name, role, true}, true
		}
	}
	if bearer, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found && c.rightToken(bearer) {
		who.name = c.DefaultUser
		return who, true
	}
	if !c.inSession(r) {
		return who, false
	}
	if cookie, err := r.Cookie(nameCookie); err == nil {
		if given, err := url.QueryUnescape(cookie.Value); err == nil && validName(given) {
			who.name, who.signOut = given, true
		}
	}
	return who, true
}

// inSession reports whether the browser has given the token before.
func (c *Console) inSession(r *http.Request) bool {
	cookie, err := r.Cookie(sessionCookie)
	return err == nil && c.Token != "" && subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(c.session())) == 1
}

func (c *Console) rightToken(token string) bool {
	return c.Token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(c.Token)) == 1
}

// session returns the session cookie. It does not reveal the token, and is invalid after the token has changed.
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

// overTLS reports whether the browser's connection is encrypted, here or by a trusted proxy.
func (c *Console) overTLS(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || c.fromProxy(r) && strings.EqualFold(strings.TrimSpace(first), "https")
}

func validName(name string) bool {
	return strings.TrimSpace(name) != "" && len(name) <= maxNameBytes && utf8.ValidString(name)
}

// keepName is how long a browser remembers its user.
const keepName = 365 * 24 * time.Hour

// enter sets the cookies and redirects to the requested page, without the token in its address.
func (c *Console) enter(w http.ResponseWriter, r *http.Request, name, to string) {
	cookie := func(key, value string, age time.Duration) {
		http.SetCookie(w, &http.Cookie{
			Name: key, Value: value, Path: "/", MaxAge: int(age / time.Second),
			HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.overTLS(r),
		})
	}
	cookie(sessionCookie, c.session(), 0)
	if name != "" {
		cookie(nameCookie, url.QueryEscape(name), keepName)
	}
	http.Redirect(w, r, localPath(to), http.StatusSeeOther)
}

// logout ends the browser's session. The token opens another one.
func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{sessionCookie, nameCookie, personCookie} {
		http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.overTLS(r)})
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signIn describes the form of the sign-in page.
type signIn struct {
	Token bool   // ask for the token and a name
	Name  bool   // ask for a name only: the browser has given the token
	OIDC  bool   // offer the provider
	To    string // path of the page to show afterwards
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	name, form := r.PostFormValue("name"), signIn{Token: c.Token != "" && !c.inSession(r), Name: c.inSession(r), OIDC: c.OIDC.Issuer != "", To: r.PostFormValue("to")}
	switch {
	case !c.inSession(r) && !c.rightToken(r.PostFormValue("token")):
		c.showLogin(w, r, http.StatusUnauthorized, form, "That is not the token.")
	case !validName(name):
		c.showLogin(w, r, http.StatusForbidden, form, fmt.Sprintf("Give your name, at most %d bytes: the audit log records who decides.", maxNameBytes))
	default:
		c.enter(w, r, name, form.To)
	}
}

func (c *Console) showLogin(w http.ResponseWriter, r *http.Request, status int, form signIn, wrong string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="moderator"`)
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, "the console needs its token: Authorization: Bearer …", status)
		return
	}
	v := view{Page: "login", Title: "Sign in", Problem: wrong, Data: form}
	c.pages.write(w, c.Logger, status, v)
}
