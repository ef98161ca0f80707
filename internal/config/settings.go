// Package config defines the settings of both commands and parses them from flags, environment variables (MODERATOR_…) and
// a YAML file. Flags win over the environment, the environment over the file. docs/configuration.md is generated from it.
package config

import (
	"os"
	"path/filepath"
	"time"
)

// Stack holds the servers and the data folder.
type Stack struct {
	DataDir string `help:"Folder for the data of the embedded servers and for TensorRT engines." default:"${data_dir}" placeholder:"DIR" group:"Servers"`
	NATS
	DatabaseURL string `name:"database-url" help:"Postgres with pgvector, as a URL or a connection string. Without it moderator starts an embedded server." placeholder:"URL" group:"Servers"`
}

// Model selects the models and their execution provider.
type Model struct {
	Model          []string `name:"model" help:"Model folder in the Hugging Face layout. The default, also called 'shipped', is the shipped copy-detection model. Give two folders while a library changes its model: uploads are matched by both models; flagctl, the console and look-backs use the first." placeholder:"DIR" group:"Model"`
	Provider       string   `help:"Execution provider: ${enum}. auto uses the best that works and logs it." enum:"auto,cuda,tensorrt,webgpu,openvino,coreml,cpu" default:"auto" group:"Model"`
	Devices        []int    `name:"device" help:"Device ids; one session each." placeholder:"ID" group:"Model"`
	Sessions       int      `help:"CPU sessions of one thread each. 0: as many as the CPU quota allows." default:"0" group:"Model"`
	ONNXRuntimeLib string   `name:"onnxruntime-lib" help:"ONNX Runtime's shared library, 1.24 or newer. Without it moderator looks beside the binary, in .cache/onnxruntime of the working folder and its parents, and in the system." placeholder:"FILE" group:"Model"`
}

// Limits bounds what is decoded.
type Limits struct {
	MaxUploadBytes int64 `help:"Largest upload in bytes; a larger one is decided review/too_large." default:"67108864" group:"Limits"`
	MaxPixels      int64 `help:"Most pixels of a picture or of one frame; a larger one is decided review/too_large." default:"50000000" group:"Limits"`
	MaxFrames      int   `help:"Most frames of an animation, or pages of a TIFF, that are judged. They are spread over its length." default:"8" group:"Limits"`
}

// Sandbox bounds a decode worker. A picture on which two workers die is decided review/undecodable.
type Sandbox struct {
	DecodeWorkers int           `help:"Uploads that are fetched and decoded concurrently, each by a process. 0: as many as the CPU quota allows." default:"0" group:"Limits"`
	DecodeMemory  int64         `help:"Most memory of one decode worker in bytes." default:"1073741824" group:"Limits"`
	DecodeTimeout time.Duration `help:"A decode worker that neither uses a CPU nor waits for one for this long counts as hung." default:"1m" group:"Limits"`
	DecodeCPUTime time.Duration `name:"decode-cpu-time" help:"Most CPU time for one picture, in whole seconds." default:"10s" group:"Limits"`
	DecodeRecycle int           `help:"Pictures after which a decode worker is replaced." default:"2000" group:"Limits"`
}

// Log configures the log.
type Log struct {
	LogFormat string `help:"Log format: ${enum}. auto is text on a terminal, else JSON." enum:"auto,text,json" default:"auto" group:"Logging"`
	LogLevel  string `help:"Lowest level that is logged: ${enum}." enum:"debug,info,warn,error" default:"info" group:"Logging"`
}

// Run holds all settings of `moderator run`.
type Run struct {
	Stack
	Model
	Limits
	Sandbox
	Log
	Serve
	Judging
	Fetch
	Exchanges
	Streams
	Console
}

// Paths on HTTPListen for probes and Prometheus.
const (
	LivePath    = "/healthz"
	ReadyPath   = "/readyz"
	MetricsPath = "/metrics"
)

// Serve holds the addresses to listen on.
type Serve struct {
	HTTPListen string `name:"http-listen" help:"Address of /healthz, /readyz, /metrics and /v1/judge." default:"127.0.0.1:8080" placeholder:"ADDR" group:"Servers"`
	HMAListen  string `name:"hma-listen" help:"Address of HMA's HTTP API, for its clients: host:port, a port of 127.0.0.1, or a host, whose port is then 5100. Without it the API is off." placeholder:"ADDR" group:"Servers"`
	HMAKeyFile string `name:"hma-key-file" help:"File with the key, 16 bytes or more, that clients of HMA's API send as 'Authorization: Bearer KEY'. Without it no key is asked for." placeholder:"FILE" group:"Servers"`
	NATSListen string `name:"nats-listen" help:"Address of the embedded NATS server." default:"127.0.0.1:4222" placeholder:"ADDR" group:"Servers"`
}

// Judging holds the consumer's limits and times.
type Judging struct {
	BatchSize      int           `help:"Most uploads in one batch, and most pictures in one inference." default:"32" group:"Judging"`
	BatchAge       time.Duration `help:"How long the first upload of a batch waits for those being fetched and decoded." default:"10ms" group:"Judging"`
	BatchBudget    time.Duration `help:"Time limit for embedding, matching or publishing a batch." default:"10s" group:"Judging"`
	MaxHeldBytes   int64         `help:"Most bytes of uploads in memory. Pulling waits when they are used up." default:"268435456" group:"Judging"`
	Candidates     int           `help:"Most candidates for geometric verification, found by keypoints among all flags. It finds crops, captions, parts and turns by any angle, and takes most of an upload's CPU time. 0: off." default:"8" group:"Judging"`
	MatchDevice    string        `help:"Where the embeddings of the library are searched: ${enum}. off: as sketches in memory, by the CPU. A GPU, of auto the best that works, holds them in its own memory, two bytes for each number of a vector; it serves libraries of millions of flags. cpu is slower than off and serves tests. The decisions are the same." enum:"off,auto,cuda,webgpu,cpu" default:"off" group:"Judging"`
	FalseBlocks    float64       `help:"Most false blocks per upload, at any number of flags. What the signals say of an upload and a flag is weighed to a probability, and the threshold follows from this rate. Banks with a threshold of their own on the score keep it." default:"1e-4" group:"Judging"`
	QuarantineRate int           `help:"Most uploads that one flag blocks within an hour, as each moderator counts. A flag that blocks more asks for review until 'flagctl release'. 0: no limit." default:"0" placeholder:"UPLOADS" group:"Judging"`
	Lookback       Age           `help:"How long to keep the features of uploads for 'flagctl lookback', such as 30d. It must be the same for all moderators of a library. 0: not at all." default:"0" placeholder:"AGE" group:"Judging"`
	Attempts       int           `help:"Attempts at an upload before it is decided review/retries_exhausted. Outages cost no attempts." default:"10" group:"Judging"`
	RetryBackoff   time.Duration `help:"Delay before the second attempt. It doubles for each further one, up to a minute." default:"1s" group:"Judging"`
	LogDecisions   bool          `help:"Log each decision at info level. Without it, each is logged at debug level, and their counts once a minute." group:"Judging"`
	DrainTime      time.Duration `help:"How long a shutdown waits for the uploads in flight." default:"20s" group:"Judging"`
}

// Fetch allows references and bounds their fetching.
type Fetch struct {
	FetchHosts      []string      `name:"fetch-host" help:"Host that uploads may be fetched from: cdn.example.com or *.example.com, with :port if it is not the scheme's default. Without any, references by URL are decided review/fetch_failed." placeholder:"HOST" group:"Fetching"`
	FetchBuckets    []string      `name:"fetch-bucket" help:"Bucket that uploads may be fetched from, with its client's options: s3://NAME?region=REGION, gs://NAME, azblob://NAME. The store's own client finds the credentials." placeholder:"URL" group:"Fetching"`
	FetchAllowCIDRs []string      `name:"fetch-allow-cidr" help:"Private network that uploads may be fetched from." placeholder:"CIDR" group:"Fetching"`
	FetchTimeout    time.Duration `help:"Time limit for one fetch, including redirects." default:"15s" group:"Fetching"`
}

// Exchanges configures the fetching of hash-sharing programmes.
type Exchanges struct {
	ExchangeCredentials string `name:"exchange-credentials" help:"Folder with the credentials of exchanges: a file for each, with the exchange's name. A variable MODERATOR_EXCHANGE_CREDENTIALS_<NAME> wins over the file." placeholder:"DIR" group:"Exchanges"`
}

// Console configures the console and its access.
type Console struct {
	Console               string        `help:"Console for moderators in a browser: ${enum}. auto means on with the embedded NATS and Postgres, and then uses a free port if its own is in use." enum:"auto,on,off" default:"auto" group:"Console"`
	ConsoleListen         string        `name:"console-listen" help:"Address of the console. An address that is not loopback needs --console-token, --console-user-header or --console-oidc-issuer." default:"127.0.0.1:8081" placeholder:"ADDR" group:"Console"`
	ConsoleToken          string        `name:"console-token" help:"Secret that opens the console, 16 bytes or more. Without it, on loopback, moderator generates one at each start. The address with it is in moderator.json in the data folder and is printed to a terminal." placeholder:"TEXT" group:"Console"`
	ConsoleUserHeader     string        `name:"console-user-header" help:"Header with the user that a proxy has signed in, such as X-Forwarded-User. It is trusted from --console-proxy only; the proxy must remove it from browsers' requests." placeholder:"NAME" group:"Console"`
	ConsoleRole           string        `name:"console-role" help:"What users of the console may do, unless --console-roles names them: ${enum}. A viewer sees everything, a reviewer decides on uploads, a curator changes the library." enum:"viewer,reviewer,curator" default:"curator" group:"Console"`
	ConsoleRoles          []string      `name:"console-roles" help:"Roles of users whom a proxy or a provider of OpenID Connect has signed in, as NAME=ROLE. A provider's users need one." placeholder:"NAME=ROLE" group:"Console"`
	ConsoleOIDCIssuer     string        `name:"console-oidc-issuer" help:"Provider of OpenID Connect that signs users of the console in. --console-roles names who may use it." placeholder:"URL" group:"Console"`
	ConsoleOIDCClient     string        `name:"console-oidc-client" help:"Id of the console at the provider." placeholder:"ID" group:"Console"`
	ConsoleOIDCSecretFile string        `name:"console-oidc-secret-file" help:"File with the console's secret at the provider." placeholder:"FILE" group:"Console"`
	ConsoleOIDCURL        string        `name:"console-oidc-url" help:"Address of the console as browsers see it. The provider redirects to its /oidc/callback." placeholder:"URL" group:"Console"`
	ConsoleOIDCClaim      string        `name:"console-oidc-claim" help:"Claim of the ID token that has the user's name." default:"email" placeholder:"NAME" group:"Console"`
	Previews              string        `name:"previews" help:"JetStream object store for small pictures of uploads in review that came inside their messages, for as long as decisions are kept. The law may forbid or require that: see the console's page." placeholder:"BUCKET" group:"Console"`
	ReviewBreak           time.Duration `name:"review-break" help:"Reviewers who have decided for this long without a pause of ten minutes are reminded to take one. 0: never." default:"50m" group:"Console"`
	ConsoleProxies        []string      `name:"console-proxy" help:"Networks of proxies whose user header and X-Forwarded-Proto are trusted." default:"127.0.0.0/8,::1/128" placeholder:"CIDR" group:"Console"`
}

// Streams configures streams and the durable when they are created. Existing ones are never changed.
type Streams struct {
	AckWait         time.Duration `help:"An upload without progress for this long is redelivered. Applies when moderator creates the durable." default:"30s" group:"Streams"`
	DuplicateWindow time.Duration `help:"How long message ids are remembered, so that a redelivered upload is decided once. Applies when moderator creates the streams." default:"15m" group:"Streams"`
	KeepDecisions   time.Duration `help:"How long decisions are kept. Applies when moderator creates the stream." default:"168h" group:"Streams"`
	StreamReplicas  int           `help:"Replicas of the streams in a NATS cluster. Applies when moderator creates them." default:"1" group:"Streams"`
}

// DefaultDataDir returns the user's data folder. For root it is /var/lib/moderator: other users, Postgres' included, cannot
// enter root's home.
func DefaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/moderator"
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "moderator")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "moderator-data"
	}
	return filepath.Join(home, ".local", "share", "moderator")
}
