package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// NATS holds the NATS servers and the login.
type NATS struct {
	NATSURL          string `name:"nats-url" help:"NATS servers with JetStream, separated by commas. Without it moderator starts an embedded server." placeholder:"URL" group:"Servers"`
	NATSContext      string `name:"nats-context" help:"Context of the nats command: its name, or the path of its file. Settings that are given win over it." placeholder:"NAME" group:"Servers"`
	NATSCreds        string `name:"nats-creds" help:"NATS credentials file." placeholder:"FILE" group:"Servers"`
	NATSNkey         string `name:"nats-nkey" help:"File with the seed of an nkey." placeholder:"FILE" group:"Servers"`
	NATSUser         string `name:"nats-user" help:"NATS user." placeholder:"NAME" group:"Servers"`
	NATSPasswordFile string `name:"nats-password-file" help:"File with the password of --nats-user. It is read at each connection." placeholder:"FILE" group:"Servers"`
	NATSCA           string `name:"nats-ca" help:"PEM file of the authorities that sign the NATS servers' certificates. Without it the system's are trusted." placeholder:"FILE" group:"Servers"`
	NATSCert         string `name:"nats-cert" help:"PEM file of the client certificate." placeholder:"FILE" group:"Servers"`
	NATSKey          string `name:"nats-key" help:"PEM file of the client certificate's key." placeholder:"FILE" group:"Servers"`

	NATSTLSFirst bool   `kong:"-"` // encrypt before the server's first line; set by a context
	NATSPassword string `kong:"-"` // of a context
	NATSToken    string `kong:"-"` // of a context
}

// natsContext is a context file. https://github.com/nats-io/jsm.go/blob/main/natscontext/context.go lists its keys.
type natsContext struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
	Creds    string `json:"creds"`
	Nkey     string `json:"nkey"`
	Cert     string `json:"cert"`
	Key      string `json:"key"`
	CA       string `json:"ca"`
	TLSFirst bool   `json:"tls_first"`
	// Those that moderator does not support.
	Proxy    string `json:"socks_proxy"`
	Domain   string `json:"jetstream_domain"`
	API      string `json:"jetstream_api_prefix"`
	Inbox    string `json:"inbox_prefix"`
	UserJWT  string `json:"user_jwt"`
	UserSeed string `json:"user_seed"`
	NSC      string `json:"nsc"`
	Windows  string `json:"windows_cert_store"`
}

// AfterApply reads the context, and checks that settings which need each other are given together.
func (n *NATS) AfterApply() error {
	if n.NATSContext != "" {
		c, err := readContext(n.NATSContext)
		if err != nil {
			return err
		}
		n.fill(c)
		if n.NATSURL == "" {
			return fmt.Errorf("NATS context %s names no server: add \"url\" to it, or give --nats-url", n.NATSContext)
		}
	}
	switch {
	case (n.NATSCert == "") != (n.NATSKey == ""):
		return errors.New("--nats-cert and --nats-key belong together: give both or neither")
	case n.NATSPasswordFile != "" && n.NATSUser == "":
		return errors.New("--nats-password-file is given without --nats-user: name the user")
	case n.NATSURL == "" && *n != NATS{}:
		return errors.New("a NATS login is given without a server: give --nats-url too")
	}
	return nil
}

// fill sets what is not set from the context. A login that is given replaces the context's as a whole.
func (n *NATS) fill(c natsContext) {
	set := func(to *string, from string) {
		if *to == "" {
			*to = from
		}
	}
	set(&n.NATSURL, c.URL)
	if n.NATSCreds+n.NATSNkey+n.NATSUser == "" {
		n.NATSCreds, n.NATSNkey, n.NATSUser, n.NATSPassword, n.NATSToken = c.Creds, c.Nkey, c.User, c.Password, c.Token
	}
	if n.NATSCert+n.NATSKey == "" {
		n.NATSCert, n.NATSKey = c.Cert, c.Key
	}
	set(&n.NATSCA, c.CA)
	n.NATSTLSFirst = c.TLSFirst
}

// readContext reads a context by its name or path. It expands variables and ~ in its paths, as the nats command does.
func readContext(name string) (natsContext, error) {
	var c natsContext
	path := name
	if !strings.ContainsRune(name, filepath.Separator) && !strings.HasSuffix(name, ".json") {
		dir, err := os.UserConfigDir()
		if err != nil {
			return c, fmt.Errorf("find NATS context %s: %w: give the path of its file", name, err)
		}
		path = filepath.Join(dir, "nats", "context", name+".json")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("NATS context %s: %w: `nats context ls` lists those of this user", name, err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("NATS context %s is not JSON of the nats command: %w", path, err)
	}
	for _, path := range []*string{&c.Creds, &c.Nkey, &c.Cert, &c.Key, &c.CA} {
		*path = os.ExpandEnv(*path)
		if rest, ok := strings.CutPrefix(*path, "~/"); ok {
			home, err := os.UserHomeDir()
			if err != nil {
				return c, fmt.Errorf("NATS context %s: %w", name, err)
			}
			*path = filepath.Join(home, rest)
		}
	}
	for key, value := range map[string]string{
		"socks_proxy": c.Proxy, "jetstream_domain": c.Domain, "jetstream_api_prefix": c.API, "inbox_prefix": c.Inbox,
		"user_jwt": c.UserJWT, "user_seed": c.UserSeed, "nsc": c.NSC, "windows_cert_store": c.Windows,
	} {
		if value != "" {
			return c, fmt.Errorf("NATS context %s sets %s, which moderator does not support: use another context, or the --nats-… settings", path, key)
		}
	}
	return c, nil
}
