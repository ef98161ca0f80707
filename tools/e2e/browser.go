package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func findChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium is installed: run `apt-get install -y chromium`")
}

// browser is one tab, and its faults.
type browser struct {
	ctx    context.Context
	cancel []context.CancelFunc
	mu     sync.Mutex
	faults []error
	axe    string // the script of axe-core
}

// stepTime bounds one action. A page that takes longer is a fault.
const stepTime = 30 * time.Second

type action = chromedp.Action[chromedp.Void]

func startBrowser(ctx context.Context, path string) (*browser, error) {
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(time.Minute))
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.NoSandbox) // Chromium's sandbox does not run as root
	}
	b := &browser{}
	allocated, stop := chromedp.NewExecAllocator(ctx, flags...)
	tab, closeTab := chromedp.NewContext(allocated)
	b.ctx, b.cancel = tab, []context.CancelFunc{closeTab, stop}
	if err := chromedp.Do(tab); err != nil {
		b.close()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	if err := chromedp.Listen(tab, b.hear); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *browser) close() {
	for _, cancel := range b.cancel {
		cancel()
	}
}

// hear collects errors of the browser's console, and dialogs, which no page of the console opens.
func (b *browser) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
		b.fault("script error: %s", text)
	case *runtime.EventConsoleAPICalled:
		b.fault("console.%s was called", e.Type)
	case *log.EventEntryAdded:
		// Failed requests of pages and pictures show in the page, where the steps look for them.
		refused := e.Entry.Source == log.EntrySourceNetwork && !strings.Contains(e.Entry.URL, "/assets/")
		if e.Entry.Level == log.EntryLevelError && !refused {
			b.fault("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		b.fault("a script that is not ours ran: %s", e.Message)
		go func() {
			_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	}
}

func (b *browser) fault(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fmt.Errorf(format, args...))
}

// wrong returns the faults since its last call.
func (b *browser) wrong() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := errors.Join(b.faults...)
	b.faults = nil
	return err
}

func (b *browser) do(actions ...action) error {
	for _, next := range actions {
		if _, err := evaluate(b, next); err != nil {
			return err
		}
	}
	return nil
}

// evaluate runs one action, bounded by stepTime.
func evaluate[T any](b *browser, a chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, stepTime)
	defer cancel()
	return chromedp.Run(ctx, a)
}

// signIn opens the address with the token, and gives a name, which the page asks for.
func (b *browser) signIn(consoleURL string) error {
	return b.do(chromedp.Navigate(consoleURL), until(`document.activeElement && document.activeElement.name === 'name'`),
		press("e"), press("v"), press("e"), press(kb.Enter),
		until(`location.pathname === '/live' && document.readyState === 'complete'`))
}

// look sets the window's width and the colour scheme.
func (b *browser) look(width int64, scheme string) error {
	if err := b.do(chromedp.EmulateViewport(width, 900)); err != nil {
		return err
	}
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	return err
}

// shoot writes a screenshot of the whole page, and of the window only for Live, which does not draw rows out of sight.
func (b *browser) shoot(dir, name string) error {
	take := chromedp.FullScreenshot(100)
	if strings.HasPrefix(name, "live") {
		take = chromedp.CaptureScreenshot()
	}
	png, err := evaluate(b, take)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
}

// until waits until an expression is true in the page, also across a navigation.
func until(expression string) action {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for {
			// During a navigation, no page can evaluate it.
			if yes, err := chromedp.Evaluate[bool](`Boolean(`+expression+`)`)(ctx, t); err == nil && yes {
				return nil
			}
			select {
			case <-time.After(30 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("waiting for %s: %w", expression, ctx.Err())
			}
		}
	})
}
