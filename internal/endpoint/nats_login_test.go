package endpoint_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/endpoint"
	"moderator/internal/testenv"
)

func broker(t *testing.T, o *server.Options) (url string) {
	o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	s, err := server.NewServer(o)
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	require.True(t, s.ReadyForConnections(time.Minute))
	return "nats://" + s.Addr().String()
}

func connects(t *testing.T, c config.NATS) {
	t.Helper()
	require.NoError(t, c.AfterApply())
	nc, err := endpoint.ConnectNATS(c, "test", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	nc.Close()
}

func refused(t *testing.T, c config.NATS, want string) {
	t.Helper()
	require.NoError(t, c.AfterApply())
	_, err := endpoint.ConnectNATS(c, "test", slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, want)
}

func file(t *testing.T, name string, data []byte) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func TestNkey(t *testing.T) {
	user, err := nkeys.CreateUser()
	require.NoError(t, err)
	public, err := user.PublicKey()
	require.NoError(t, err)
	seed, err := user.Seed()
	require.NoError(t, err)
	url := broker(t, &server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}})
	connects(t, config.NATS{NATSURL: url, NATSNkey: file(t, "seed", seed)})
	refused(t, config.NATS{NATSURL: url}, "the server refused the login")
	refused(t, config.NATS{NATSURL: url, NATSNkey: file(t, "seed", []byte("SUNOSEED"))}, "correct --nats-nkey")
}

func TestCreds(t *testing.T) {
	operator, err := nkeys.CreateOperator()
	require.NoError(t, err)
	account, err := nkeys.CreateAccount()
	require.NoError(t, err)
	user, err := nkeys.CreateUser()
	require.NoError(t, err)
	public := func(k nkeys.KeyPair) string {
		p, err := k.PublicKey()
		require.NoError(t, err)
		return p
	}
	accountJWT, err := jwt.NewAccountClaims(public(account)).Encode(operator)
	require.NoError(t, err)
	userJWT, err := jwt.NewUserClaims(public(user)).Encode(account)
	require.NoError(t, err)
	seed, err := user.Seed()
	require.NoError(t, err)
	creds, err := jwt.FormatUserConfig(userJWT, seed)
	require.NoError(t, err)
	accounts := &server.MemAccResolver{}
	require.NoError(t, accounts.Store(public(account), accountJWT))
	url := broker(t, &server.Options{TrustedKeys: []string{public(operator)}, AccountResolver: accounts})

	path := file(t, "user.creds", creds)
	connects(t, config.NATS{NATSURL: url, NATSCreds: path})
	refused(t, config.NATS{NATSURL: url}, "the server refused the login")

	context, err := json.Marshal(map[string]string{"url": url, "creds": path})
	require.NoError(t, err)
	connects(t, config.NATS{NATSContext: file(t, "prod.json", context)})
}

func TestPasswordFile(t *testing.T) {
	url := broker(t, &server.Options{Username: "ann", Password: "right"})
	connects(t, config.NATS{NATSURL: url, NATSUser: "ann", NATSPasswordFile: file(t, "password", []byte("right\n"))})
	refused(t, config.NATS{NATSURL: url, NATSUser: "ann", NATSPasswordFile: file(t, "password", []byte("secret"))}, "--nats-password-file")
	refused(t, config.NATS{NATSURL: url, NATSUser: "ann", NATSPasswordFile: "/no/such"}, "correct --nats-password-file")
}

// A server that wants certificates of clients, and has one that the system does not trust.
func TestCertificates(t *testing.T) {
	ca, key := testenv.Authority(t)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(ca))
	serverCert, serverKey := testenv.Certificate(t, ca, key)
	pair, err := tls.X509KeyPair(serverCert, serverKey)
	require.NoError(t, err)
	url := broker(t, &server.Options{
		TLS: true, TLSVerify: true, TLSTimeout: 10,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12},
	})
	clientCert, clientKey := testenv.Certificate(t, ca, key)
	settings := config.NATS{NATSURL: url, NATSCA: file(t, "ca.pem", ca), NATSCert: file(t, "cert.pem", clientCert), NATSKey: file(t, "key.pem", clientKey)}
	connects(t, settings)
	unknown := settings
	unknown.NATSCA = ""
	refused(t, unknown, "give its authority as --nats-ca")
	anonymous := settings
	anonymous.NATSCert, anonymous.NATSKey = "", ""
	refused(t, anonymous, "--nats-cert and --nats-key")
}
