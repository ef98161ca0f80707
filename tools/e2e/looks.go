package main

import (
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// sight is a page to look at.
type sight struct {
	name    string
	path    string
	prepare []action // actions on the page before the screenshot
}

func sights(s *seeded) []sight {
	toShow := func(selector string) action {
		return until(fmt.Sprintf(`document.querySelector(%q) !== null`, selector))
	}
	shown := until(`[...document.querySelectorAll('.picture img')].every((i) => i.complete && i.naturalWidth > 0)`)
	outlined := until(`document.querySelectorAll('.pictures polygon.found').length === 2`)
	choose := func(field string, file int) action {
		return chromedp.SetUploadFiles(chromedp.CSS("input[name="+field+"]"), s.pictures[file:file+1])
	}
	return []sight{
		{"live", "/live", []action{until(`document.querySelectorAll('#rows tr').length > 20`)}},
		{"decision-blocked", fmt.Sprintf("/decisions/%d", s.blocked), nil},
		{"decision-hostile", fmt.Sprintf("/decisions/%d", s.hostile), []action{shown}},
		{"review", fmt.Sprintf("/review?at=%d", s.hostile), []action{shown}},
		{"review-shown", fmt.Sprintf("/review?at=%d", s.hostile), []action{
			shown, press("s"), until(`document.querySelector('.picture img').src.endsWith('?clear')`), shown,
		}},
		{"review-side-by-side", fmt.Sprintf("/review?at=%d", s.beside), []action{outlined, press("s"), shown}},
		{"review-several", "/review", []action{
			pushed(".many summary"), until(`document.querySelector('.many details').open`), chromedp.Focus(chromedp.CSS(".queue li a")), press("x"), press("j"), press("x"),
			until(`document.querySelectorAll('.queue input:checked').length >= 2`), shown,
		}},
		{"compare", "/compare", nil},
		{"compare-result", "/compare", []action{
			choose("a", 0), choose("b", 2), chromedp.Submit(chromedp.CSS("main form")), toShow(".result"), shown,
		}},
		{"search-result", "/search", []action{choose("picture", 2), chromedp.Submit(chromedp.CSS("main form")), toShow(".found"), shown}},
		{"library", "/library", nil},
		{"bank", "/banks/spam", nil},
		{"flag", "/banks/default", []action{press("j"), press(kb.Enter), until(`document.body.className === 'page-flag'`), shown}},
		{"exchanges", "/exchanges", nil},
		{"keys", "/library", []action{press("?"), until(`document.getElementById('help').open`)}},
		{"problem", "/decisions/0", nil},
	}
}

// everyLook opens each page narrow and wide, light and dark, and writes a screenshot of each.
func everyLook(b *browser, consoleURL string, s *seeded, dir string) (shots int, err error) {
	for _, width := range []int64{360, 768, 1280, 1920} {
		for _, scheme := range []string{"light", "dark"} {
			if err := b.look(width, scheme); err != nil {
				return shots, err
			}
			for _, sight := range sights(s) {
				name := fmt.Sprintf("%s-%d-%s", sight.name, width, scheme)
				if err := b.visit(base(consoleURL)+sight.path, sight.prepare, width); err != nil {
					return shots, fmt.Errorf("%s: %w", name, err)
				}
				if err := b.shoot(dir, name); err != nil {
					return shots, err
				}
				shots++
			}
		}
		// The page without a token.
		if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
			return shots, err
		}
		if err := b.visit(base(consoleURL)+"/", nil, width); err != nil {
			return shots, err
		}
		if err := b.shoot(dir, fmt.Sprintf("sign-in-%d", width)); err != nil {
			return shots, err
		}
		shots++
		if err := b.signIn(consoleURL); err != nil {
			return shots, err
		}
	}
	return shots, nil
}

// visit opens a page and checks it for faults.
func (b *browser) visit(url string, prepare []action, width int64) error {
	actions := append([]action{chromedp.Navigate(url), until(`document.readyState === 'complete'`)}, prepare...)
	// The actions may have opened another page, whose width is known when its styles are loaded.
	actions = append(actions, until(`document.readyState === 'complete'`))
	if err := b.do(actions...); err != nil {
		return err
	}
	sideways, err := evaluate(b, chromedp.Evaluate[int64](`Math.ceil(Math.max(document.documentElement.scrollWidth,
		...[...document.querySelectorAll('.top a, .top button')].map((e) => e.getBoundingClientRect().right)))`))
	if err != nil {
		return err
	}
	if sideways > width {
		return fmt.Errorf("the page is %d pixels wide in a window of %d", sideways, width)
	}
	if err := b.accessible(); err != nil {
		return err
	}
	return b.wrong()
}
