// Command demo-hma shows HMA's HTTP API: it starts the embedded default with --hma-listen in a temporary folder, creates a
// bank, adds a picture, hashes an edit of it and looks it up, all by plain HTTP. It prints each answer and compares it with
// what it must be.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"io"

	"moderator/internal/synth"
	"moderator/tools/internal/command"
	"moderator/tools/internal/embedded"
)

type options struct {
	Bin string `help:"Folder of the built commands." default:"bin"`
}

func main() { command.Main("demo-hma", "HMA's HTTP API, call by call.", run) }

func run(ctx context.Context, o options, stdout io.Writer) (err error) {
	original := image.NewRGBA(image.Rect(0, 0, 800, 600))
	draw.Draw(original, original.Bounds(), synth.Draw(1, 0, 800, 600), image.Point{}, draw.Src)
	photo, err := encode(original)
	if err != nil {
		return err
	}
	edit, err := encode(original.SubImage(original.Bounds().Inset(70))) // a crop, which PDQ does not find
	if err != nil {
		return err
	}
	other, err := encode(synth.Draw(1, 1, 800, 600))
	if err != nil {
		return err
	}
	m, err := embedded.Start(ctx, o.Bin, "--hma-listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()
	c := &client{url: m.State.HMAURL, out: stdout}
	fmt.Fprintf(stdout, "started: moderator with HMA's API at %s\n", c.url)

	c.get(ctx, "/status", "I-AM-ALIVE")
	c.send(ctx, "POST", "/c/banks", `{"name":"DEMO","enabled_ratio":"1"}`, 201, `"matching_enabled_ratio":1.0`)
	c.get(ctx, "/c/bank/DEMO", `{"name":"DEMO","matching_enabled_ratio":1.0}`)
	added := c.upload(ctx, "/c/bank/DEMO/content", photo, `"id":1,`)
	hashes := c.upload(ctx, "/h/hash", edit, `"moderator":"m1.`)
	c.get(ctx, "/m/lookup?signal_type=pdq&signal="+added.Signals["pdq"], `{"DEMO":[{"bank_content_id":1,"distance":"0"}]}`)
	c.get(ctx, "/m/lookup?signal_type=moderator&signal="+hashes.text("moderator"), `{"DEMO":[{"bank_content_id":1,"distance":"`)
	c.upload(ctx, "/m/lookup", edit, `"DEMO":[{"bank_content_id":1,`)
	c.upload(ctx, "/m/lookup", other, `{"moderator":{},"pdq":{}}`)
	c.get(ctx, "/m/raw_lookup?include_distance=True&signal_type=pdq&signal="+added.Signals["pdq"], `{"matches":[{"bank_content_id":1,"distance":"0"}]}`)
	c.send(ctx, "PUT", "/c/bank/DEMO/content/1", `{"disable_until_ts":0,"note":"shown"}`, 200, `"disable_until_ts":0`)
	c.upload(ctx, "/m/lookup", photo, `{"moderator":{},"pdq":{}}`)
	c.send(ctx, "DELETE", "/c/bank/DEMO/content/1", "", 200, `{"deleted":1}`)
	c.send(ctx, "DELETE", "/c/bank/DEMO", "", 200, `{"message":"Done"}`)
	c.send(ctx, "GET", "/c/bank/DEMO", "", 404, `{"message":"bank 'DEMO' not found"}`)
	fmt.Fprintf(stdout, "\nhma: %d calls, %d wrong\n", c.calls, c.wrong)
	if c.wrong > 0 {
		return fmt.Errorf("%d answers are wrong: see the lines marked WRONG", c.wrong)
	}
	return ctx.Err()
}

func encode(picture image.Image) ([]byte, error) {
	var file bytes.Buffer
	err := jpeg.Encode(&file, picture, &jpeg.Options{Quality: 85})
	return file.Bytes(), err
}
