package main

import (
	"fmt"
	"net/url"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// step is one step of a path through the console.
type step struct {
	name string
	run  func() error
}

// paths returns the main path of each page, by the keyboard alone.
func paths(b *browser, consoleURL string, s *seeded) []step {
	on := func(path string) action {
		return until(fmt.Sprintf(`location.pathname === %q && document.readyState === 'complete'`, path))
	}
	return []step{
		{"sign in by the printed address", func() error {
			return b.do(chromedp.Navigate(consoleURL), on("/live"), until(`!location.search.includes('token')`))
		}},
		{"live: rows come, j and Enter open one", func() error {
			return b.do(until(`document.querySelectorAll('#rows tr').length > 20`),
				press("j"), press("j"), press("k"),
				until(`document.activeElement === document.querySelector('#rows tr a')`), focusShows(),
				press(kb.Enter), until(`document.body.className === 'page-decision' && document.querySelector('.raw') !== null`))
		}},
		{"live: filters", func() error {
			return b.do(press("1"), on("/live"), press("/"), until(`document.activeElement.name === 'verdict'`),
				press(kb.ArrowDown), until(`location.search.includes('verdict=block')`),
				until(`document.querySelectorAll('#rows tr').length > 3`),
				until(`[...document.querySelectorAll('#rows .verdict')].every((v) => v.textContent === 'block')`),
				press("p"), until(`document.getElementById('hold').getAttribute('aria-pressed') === 'true'`))
		}},
		{"keys: the list opens and closes", func() error {
			return b.do(press("?"), until(`document.getElementById('help').open`),
				press(kb.Escape), until(`!document.getElementById('help').open`))
		}},
		{"review: the next of the queue, its picture blurred and clear", func() error {
			return b.do(press("2"), on("/review"), until(`document.querySelectorAll('.queue li').length > 10`),
				press("j"), focusShows(), press(kb.Enter), until(`location.search.includes('at=')`),
				until(`document.querySelector('.case .picture').textContent.trim() !== ''`))
		}},
		{"review: block, allow, allow and list", func() error { return review(b, base(consoleURL)) }},
		{"review: Enter in the note decides nothing", func() error {
			return b.do(chromedp.Navigate(base(consoleURL)+"/review"), until(`document.readyState === 'complete'`),
				chromedp.Focus(chromedp.CSS(`.decide input[name=note]`)), chromedp.KeyEvent("seen"), chromedp.KeyEvent(kb.Enter),
				until(`location.search === '' && document.querySelector('.decide input[name=note]').value === 'seen'`))
		}},
		{"review: both pictures, and what agrees in them", func() error {
			return b.do(chromedp.Navigate(fmt.Sprintf("%s/review?at=%d", base(consoleURL), s.beside)),
				until(`document.querySelectorAll('.pictures polygon.found').length === 2`), press("s"),
				until(`[...document.querySelectorAll('.pictures img')].every((i) => i.src.endsWith('?clear') && i.complete && i.naturalWidth > 0)`))
		}},
		{"review: a picture that came inside its message", func() error {
			return b.do(chromedp.Navigate(base(consoleURL)+"/review?signal=embedding&text=inline-"),
				until(`(() => { const i = document.querySelector('.pictures img'); return i && i.complete && i.naturalWidth > 0; })()`))
		}},
		{"review: blur and colour are remembered", func() error {
			again := chromedp.Navigate(fmt.Sprintf("%s/review?at=%d", base(consoleURL), s.beside))
			return b.do(again, chromedp.Focus(chromedp.CSS(`select[data-look]`)), chromedp.KeyEvent(kb.ArrowDown),
				chromedp.Focus(chromedp.CSS(`input[data-look]`)), chromedp.KeyEvent(" "), until(`document.cookie.includes('moderator_look=medium.colour')`),
				again, until(`document.readyState === 'complete' && document.querySelector('select[data-look]').value === 'medium' && !document.querySelector('input[data-look]').checked`),
				chromedp.Focus(chromedp.CSS(`input[data-look]`)), chromedp.KeyEvent(" "),
				chromedp.Focus(chromedp.CSS(`select[data-look]`)), chromedp.KeyEvent(kb.ArrowUp), until(`document.cookie.includes('moderator_look=strong.grey')`))
		}},
		{"review: the page follows what others decide", func() error {
			if err := b.do(chromedp.Navigate(base(consoleURL)+"/review?text="+url.QueryEscape(elsewhere)), until(`document.querySelector('.case h2') !== null`)); err != nil {
				return err
			}
			if err := s.decideElsewhere(b.ctx, consoleURL); err != nil {
				return err
			}
			return b.do(until(`!document.querySelector('[data-gone]').hidden && document.querySelector('.queue .gone') !== null && document.querySelector('[data-key=b]').disabled`))
		}},
		{"review: take the last one back", func() error {
			return b.do(chromedp.Navigate(base(consoleURL)+"/review?text=queued-"), press("a"),
				until(`location.search.includes('done=') && document.readyState === 'complete'`), press("u"),
				until(`document.querySelector('.case h2').textContent === 'queued-000' && document.querySelector('.case .note').textContent.includes('back')`))
		}},
		{"review: judge again, one and all of a filter", func() error {
			return b.do(chromedp.Navigate(base(consoleURL)+"/review?reason=fetch_failed&text=outage-"), press("r"),
				until(`document.readyState === 'complete' && document.querySelector('.note')?.textContent.includes('judged again')`),
				chromedp.Focus(chromedp.CSS(`.many summary`)), chromedp.KeyEvent(kb.Enter),
				chromedp.Focus(chromedp.CSS(`.many input[value=filter]`)), chromedp.KeyEvent(" "),
				chromedp.Focus(chromedp.CSS(`.many input[name=count]`)), chromedp.KeyEvent("2"),
				chromedp.Focus(chromedp.CSS(`.many button[value=again]`)), chromedp.KeyEvent(kb.Enter),
				until(`document.body.textContent.includes('2 decided and published') && document.body.textContent.includes('No waiting decision passes the filter')`))
		}},
		{fmt.Sprintf("review: %d by one key each, pressed at once", queued), func() error { return fast(b, base(consoleURL)) }},
		{"compare", func() error {
			return b.do(press("3"), on("/compare"), press("/"), until(`document.activeElement.name === 'a'`), focusShows(),
				chromedp.SetUploadFiles(chromedp.CSS(`input[name=a]`), s.pictures[:1]), chromedp.SetUploadFiles(chromedp.CSS(`input[name=b]`), s.pictures[1:2]),
				press(kb.Tab), press(kb.Tab), press(kb.Enter),
				until(`document.querySelector('.result') !== null`), press("s"),
				until(`[...document.querySelectorAll('.result img')].every((i) => i.src === i.dataset.clear)`))
		}},
		{"search", func() error {
			return b.do(press("4"), on("/search"), press("/"), chromedp.SetUploadFiles(chromedp.CSS(`input[name=picture]`), s.pictures[:1]),
				press(kb.Tab), press(kb.Enter),
				until(`document.querySelector('.found .verdict.block') !== null`))
		}},
		{"library", func() error {
			return b.do(press("5"), on("/library"), until(`document.body.textContent.includes('spam')`))
		}},
		{"library: create a bank, set thresholds, disable it", func() error {
			return b.do(fill(`form[action="/banks"] [name=name]`, "browser"), fill(`form[action="/banks"] [name=reason]`, "a campaign"), pushed(`form[action="/banks"] button:enabled`),
				on("/banks/browser"), fill(`[name=block_at]`, "0.6"), fill(`form:has([name=block_at]) [name=reason]`, "too many"), pushed(`[value=thresholds]`),
				until(`document.querySelector('.facts').textContent.includes('its own')`),
				fill(`form:has([value=off]) [name=reason]`, "a pause"), pushed(`[value=off]`), until(`document.querySelector('[value=on]') !== null`))
		}},
		{"library: block and flag an upload, retract, restore", func() error {
			return b.do(chromedp.Navigate(fmt.Sprintf("%s/review?at=%d", base(consoleURL), s.toFlag)), until(`document.querySelector('[data-key=f]') !== null`),
				fill(`.decide [name=note]`, "seen before"), pushed(`[data-key=f]`), until(`location.search.includes('done=')`),
				chromedp.Navigate(base(consoleURL)+"/banks/default"), until(`document.body.textContent.includes('seen before')`), press("j"), press(kb.Enter),
				until(`document.body.className === 'page-flag'`), fill(`[action$=retract] [name=reason]`, "a mistake"), pushed(`[action$=retract] button:enabled`),
				until(`document.querySelector('[action$=restore]') !== null`), fill(`[action$=restore] [name=reason]`, "none"), pushed(`[action$=restore] button:enabled`),
				until(`document.querySelector('[action$=retract]') !== null && document.body.textContent.includes('a mistake')`))
		}},
	}
}

// review decides three uploads, each by one key. Only an upload with a picture can be allow-listed.
func review(b *browser, home string) error {
	for _, choice := range []struct{ key, verdict string }{{"b", "block"}, {"a", "allow"}, {"l", "allow"}} {
		if err := b.do(chromedp.Navigate(home+"/review"), until(`document.readyState === 'complete'`)); err != nil {
			return err
		}
		for range 20 {
			// The page ignores keys for a moment, as they may be meant for the page before.
			if err := b.do(until(`performance.now() - performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd > 500`)); err != nil {
				return err
			}
			possible, err := evaluate(b, chromedp.Evaluate[bool](fmt.Sprintf(`!document.querySelector('[data-key=%s]').disabled`, choice.key)))
			if err != nil {
				return err
			}
			if possible {
				break
			}
			at, err := evaluate(b, chromedp.Location())
			if err != nil {
				return err
			}
			err = b.do(press("j"), press(kb.Enter),
				until(fmt.Sprintf(`location.href !== %q && document.readyState === 'complete'`, at)))
			if err != nil {
				return err
			}
		}
		err := b.do(press(choice.key), until(`location.search.includes('done=') && document.readyState === 'complete'`),
			until(fmt.Sprintf(`document.querySelector('.note .verdict').textContent === %q`, choice.verdict)))
		if err != nil {
			return err
		}
	}
	return nil
}

// fast decides all queued uploads as fast as pages come: no key is lost, and none decides twice.
func fast(b *browser, home string) error {
	if err := b.do(chromedp.Navigate(home + "/review?text=queued-")); err != nil {
		return err
	}
	for left := queued; left > 0; left-- {
		here := fmt.Sprintf(`document.readyState === 'complete' && document.querySelector('.count').textContent.includes(' %d in this filter')`, left)
		if err := b.do(until(here), chromedp.KeyEvent("a")); err != nil {
			return fmt.Errorf("with %d left: %w", left, err)
		}
	}
	return b.do(until(`document.body.textContent.includes('No waiting decision passes the filter')`))
}

// press presses a key once the page takes keys.
func press(key string) action {
	return chromedp.Steps(until(`document.readyState === 'complete'`), chromedp.KeyEvent(key))
}

// fill types a text into a field, and pushed presses Enter on a button.
func fill(selector, text string) action {
	return chromedp.Steps(ready(selector), chromedp.Focus(chromedp.CSS(selector)), chromedp.KeyEvent(text))
}

func pushed(selector string) action {
	return chromedp.Steps(ready(selector), chromedp.Focus(chromedp.CSS(selector)), chromedp.KeyEvent(kb.Enter))
}

func ready(selector string) action {
	return until(fmt.Sprintf(`document.readyState === 'complete' && document.querySelector(%q) !== null`, selector))
}

// focusShows fails if the focus is not visible.
func focusShows() action {
	return until(`(() => {
		const seen = (e) => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; };
		const e = document.activeElement;
		return e.matches(':focus-visible') && (seen(e) || seen(e.closest('tr, .drop') ?? e));
	})()`)
}
