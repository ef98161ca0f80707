package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/nats-io/nats.go/jetstream"
)

// node is the installed rival in Node.
type node struct {
	dir string
}

const (
	rivalStream  = "RIVAL"
	rivalDurable = "rival"
	rivalUploads = "rival.uploads"
	rivalResults = "rival.vectors"
)

// prepareNode installs the rival's packages by its lock file, and makes its stream. It returns nil without Node.js.
func (b *bench) prepareNode(ctx context.Context) (*node, error) {
	if _, err := exec.LookPath("npm"); err != nil {
		b.report.add("rival_node", field{"skipped", "npm is not installed"})
		return nil, nil
	}
	r := &node{filepath.Join("bench", "rival-node")}
	if _, err := os.Stat(filepath.Join(r.dir, "node_modules", ".package-lock.json")); errors.Is(err, os.ErrNotExist) {
		b.note("npm ci in " + r.dir)
		// Install scripts would download libraries for GPUs. The packages hold the libraries for this machine.
		install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = r.dir
		if said, err := install.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("npm ci in %s: %w\n%s", r.dir, err, said)
		}
	}
	_, err := b.servers.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: rivalStream, Subjects: []string{rivalUploads}, Retention: jetstream.WorkQueuePolicy,
	})
	if err != nil {
		return nil, err
	}
	_, err = b.servers.js.CreateOrUpdateConsumer(ctx, rivalStream, jetstream.ConsumerConfig{
		Durable: rivalDurable, AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 4096,
	})
	return r, err
}

// start starts the rival and waits until its processes are ready.
func (r *node) start(s *servers, m model) (*exec.Cmd, error) {
	cmd := exec.Command("node", "rival.mjs")
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "NATS_URL="+strings.TrimPrefix(s.natsURL, "nats://"), "STREAM="+rivalStream, "DURABLE="+rivalDurable,
		"RESULTS="+rivalResults, "MODEL="+m.graph, fmt.Sprintf("PROCESSES=%d", runtime.GOMAXPROCS(0)), "ORT_DISABLE_TELEMETRY=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if word, err := bufio.NewReader(said).ReadString('\n'); err != nil || word != "ready\n" {
		return nil, fmt.Errorf("the rival in Node did not start: %w", errors.Join(err, end(cmd)))
	}
	return cmd, nil
}

// rivalFlow is the path of uploads through the rival.
func rivalFlow(pid int) flow { return flow{rivalStream, rivalDurable, rivalUploads, rivalResults, pid} }

// againstNode reports the rival at each size, and moderator's ratio to it.
func (b *bench) againstNode(m model, ceilings []ceiling, all []versus) {
	for i, v := range all {
		size := ceilings[i].pictures.name
		b.report.add("rival_node", field{"model", m.name}, field{"size", size},
			field{"images_per_s", v.theirs.perSecond}, field{"images_per_cpu_s", v.theirs.perCPU},
			field{"ours_over_theirs_per_cpu", v.ratio.perCPU}, field{"ours_over_theirs", v.ratio.perSecond})
		bound := 1.0
		if size == "12mp" {
			bound = 1.1
		}
		b.report.atLeast("ours / Node per CPU-second "+m.name+" "+size, v.ratio.perCPU, bound)
	}
}
