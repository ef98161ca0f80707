// Package config is what can be set: flags, the same names as environment variables (MODERATOR_…), and a YAML file.
// Flags win over the environment, the environment over the file. docs/configuration.md is generated from here.
package config

import (
	"os"
	"path/filepath"
	"time"
)

// Settings of the servers and folders that both commands use.
type Stack struct {
	DataDir     string `help:"Folder of the embedded servers' data and of TensorRT's engines." default:"${data_dir}" placeholder:"DIR" group:"Servers"`
	NATSURL     string `name:"nats-url" help:"NATS servers with JetStream, separated by commas. Without it moderator starts one of its own." placeholder:"URL" group:"Servers"`
	NATSCreds   string `name:"nats-creds" help:"NATS credentials file." placeholder:"FILE" group:"Servers"`
	DatabaseURL string `name:"database-url" help:"Postgres with pgvector, as a URL or a connection string. Without it moderator starts a private cluster of its own." placeholder:"URL" group:"Servers"`
}

// Model says which model embeds, and where it runs.
type Model struct {
	Model          []string `name:"model" help:"Model folder in the Hugging Face layout. Without it, or as 'shipped', the shipped copy-detection model is used. Given twice, while a library changes its model, moderator asks both, and what is for one model only (flagctl, the console, look-backs) takes the first." placeholder:"DIR" group:"Model"`
	Provider       string   `help:"Execution provider: ${enum}. auto takes the best that works and says which." enum:"auto,cuda,tensorrt,webgpu,openvino,coreml,cpu" default:"auto" group:"Model"`
	Devices        []int    `name:"device" help:"Device ids; one session each." placeholder:"ID" group:"Model"`
	Sessions       int      `help:"CPU sessions of one thread each; 0 takes as many as the CPU quota allows." default:"0" group:"Model"`
	ONNXRuntimeLib string   `name:"onnxruntime-lib" help:"ONNX Runtime's shared library, 1.24 or newer. Without it: beside the binary, in .cache/onnxruntime of the working folder and its parents, then the system's." placeholder:"FILE" group:"Model"`
}

// Limits on what is decoded.
type Limits struct {
	MaxUploadBytes int64 `help:"Largest upload; a larger one is decided review/too_large." default:"67108864" group:"Limits"`
	MaxPixels      int64 `help:"Most pixels of a picture or of one frame; more is decided review/too_large." default:"50000000" group:"Limits"`
	MaxFrames      int   `help:"Frames of an animation, or pages of a TIFF, that are judged, spread over its length." default:"8" group:"Limits"`
}

// Sandbox is what one decode worker may use. A picture on which two workers die is decided review/undecodable.
type Sandbox struct {
	DecodeWorkers int           `help:"Uploads fetched and decoded at once, and processes that decode; 0 takes as many as the CPU quota allows." default:"0" group:"Limits"`
	DecodeMemory  int64         `help:"Bytes of memory of one decode worker." default:"1073741824" group:"Limits"`
	DecodeTimeout time.Duration `help:"How long a decode worker may neither use a CPU nor wait for one before it counts as hung." default:"1m" group:"Limits"`
	DecodeCPUTime time.Duration `name:"decode-cpu-time" help:"Longest CPU time for one picture, in whole seconds." default:"10s" group:"Limits"`
	DecodeRecycle int           `help:"Pictures after which a decode worker is replaced." default:"2000" group:"Limits"`
}

// Log says how to log.
type Log struct {
	LogFormat string `help:"Log format: ${enum}. auto is text on a terminal, else JSON." enum:"auto,text,json" default:"auto" group:"Logging"`
	LogLevel  string `help:"Least level that is logged: ${enum}." enum:"debug,info,warn,error" default:"info" group:"Logging"`
}

// Run is everything of `moderator run`.
type Run struct {
	Stack
	Model
	Limits
	Sandbox
	Log
	Serve
	Judging
	Fetch
	Streams
	Console
}

// The paths on HTTPListen that probes and scrapers ask for.
const (
	LivePath    = "/healthz"
	ReadyPath   = "/readyz"
	MetricsPath = "/metrics"
)

// Serve says where moderator listens.
type Serve struct {
	HTTPListen string `name:"http-listen" help:"Address of /healthz, /readyz and /metrics." default:"127.0.0.1:8080" placeholder:"ADDR" group:"Servers"`
	NATSListen string `name:"nats-listen" help:"Address of the embedded NATS server." default:"127.0.0.1:4222" placeholder:"ADDR" group:"Servers"`
}

// Judging is the pace of the consumer.
type Judging struct {
	BatchSize    int           `help:"Uploads embedded together at most." default:"32" group:"Judging"`
	BatchAge     time.Duration `help:"How long the first upload of a batch waits for those that are being fetched and decoded." default:"10ms" group:"Judging"`
	BatchBudget  time.Duration `help:"Longest time that a batch may take to embed, to match, or to publish once." default:"10s" group:"Judging"`
	MaxHeldBytes int64         `help:"Bytes of uploads held in memory at once; pulling waits beyond." default:"268435456" group:"Judging"`
	Candidates   int           `help:"Of the flags that are nearest to an upload and do not block it, so many have their points of interest compared with the upload's, which finds crops, captions and turns by any angle. It takes most of the time that a CPU spends on an upload; 0: none." default:"8" group:"Judging"`
	Lookback     Age           `help:"How long to keep what uploads look like, such as 30d, so that 'flagctl lookback' can hold new flags against them; the same for all moderators of a library. 0: nothing is kept." default:"0" placeholder:"AGE" group:"Judging"`
	Attempts     int           `help:"Deliveries of one upload before it is decided review/retries_exhausted." default:"10" group:"Judging"`
	RetryBackoff time.Duration `help:"Wait before the second delivery, doubled for each further one, up to a minute." default:"1s" group:"Judging"`
	DrainTime    time.Duration `help:"How long a shutdown waits for the uploads in hand." default:"20s" group:"Judging"`
}

// Fetch says which referenced uploads may be fetched.
type Fetch struct {
	FetchHosts      []string      `name:"fetch-host" help:"Host that uploads may be fetched from: cdn.example.com, *.example.com, with :port where it is not the scheme's. None: references by URL are decided review/fetch_failed." placeholder:"HOST" group:"Fetching"`
	FetchBuckets    []string      `name:"fetch-bucket" help:"Bucket that uploads may be fetched from, with its client's options: s3://NAME?region=REGION, gs://NAME, azblob://NAME. Credentials are those that the store's own client finds." placeholder:"URL" group:"Fetching"`
	FetchAllowCIDRs []string      `name:"fetch-allow-cidr" help:"Private addresses that may be connected to all the same." placeholder:"CIDR" group:"Fetching"`
	FetchTimeout    time.Duration `help:"Longest time for one fetch, redirects included." default:"15s" group:"Fetching"`
}

// Console says whether people see the console, and who may use it.
type Console struct {
	Console           string   `help:"Console for people in their browser: ${enum}. auto is on where moderator runs its own NATS and Postgres, and then takes a free port where its own is taken." enum:"auto,on,off" default:"auto" group:"Console"`
	ConsoleListen     string   `name:"console-listen" help:"Address of the console. One that is not loopback wants --console-token or --console-user-header." default:"127.0.0.1:8081" placeholder:"ADDR" group:"Console"`
	ConsoleToken      string   `name:"console-token" help:"Secret that opens the console, 16 bytes or more. Without it, on loopback, moderator makes one at each start: moderator.json in the data folder has the address with it, and a terminal shows it." placeholder:"TEXT" group:"Console"`
	ConsoleUserHeader string   `name:"console-user-header" help:"Header in which a proxy names the user that it has signed in, such as X-Forwarded-User. Believed of --console-proxy only, which must drop what browsers send in it." placeholder:"NAME" group:"Console"`
	ConsoleProxies    []string `name:"console-proxy" help:"Networks of the proxies whose user header and X-Forwarded-Proto are believed." default:"127.0.0.0/8,::1/128" placeholder:"CIDR" group:"Console"`
}

// Streams says how streams are made where they are missing; those that exist are never changed.
type Streams struct {
	AckWait         time.Duration `help:"An upload that is not heard of for so long is delivered again. Applies where moderator creates the durable." default:"30s" group:"Streams"`
	DuplicateWindow time.Duration `help:"How long a decision's id is remembered, so that an upload that is delivered again is decided once. Applies where moderator creates the stream." default:"15m" group:"Streams"`
	KeepDecisions   time.Duration `help:"How long decisions are kept. Applies where moderator creates the stream." default:"168h" group:"Streams"`
	StreamReplicas  int           `help:"Replicas of the streams in a NATS cluster. Applies where moderator creates them." default:"1" group:"Streams"`
}

// DefaultDataDir is /var/lib/moderator for root, whose home other users (Postgres' among them) cannot enter, and
// the user's data folder otherwise.
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
