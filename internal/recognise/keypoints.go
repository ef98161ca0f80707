package recognise

import (
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
)

// Points are the keypoints of a picture of width x height pixels, given in grey at any size: as many as are
// stored of a flag, or looked at of an upload.
func Points(grey *imaging.Gray, width, height int, flagged bool) (keypoint.Features, error) {
	plane, err := grey.Resized(keypoint.Size(width, height))
	if err != nil {
		return keypoint.Features{}, err
	}
	if !flagged {
		return keypoint.Extract(plane.Width, plane.Height, plane.Pix, keypoint.UploadPoints), nil
	}
	f := keypoint.Extract(plane.Width, plane.Height, plane.Pix, keypoint.FlagPoints)
	small, err := Plane(grey, width, height)
	if err != nil {
		return keypoint.Features{}, err
	}
	blurred := keypoint.NewPlane(small.Width, small.Height, small.Pix)
	defer blurred.Close()
	f.Frame = blurred.Frame()
	return f, nil
}

// CoarsePoints are the keypoints of an upload that tell whether all of them are worth looking for.
func CoarsePoints(grey *imaging.Gray, width, height int) (keypoint.Features, error) {
	plane, err := grey.Resized(keypoint.CoarseSize(width, height))
	if err != nil {
		return keypoint.Features{}, err
	}
	return keypoint.Extract(plane.Width, plane.Height, plane.Pix, keypoint.CoarsePoints), nil
}

// Plane is the grey picture of width x height pixels, in the size that keypoint.Guide looks at.
func Plane(grey *imaging.Gray, width, height int) (*imaging.Gray, error) {
	return grey.Resized(keypoint.PlaneSize(width, height))
}
