package keypoint

// places finds points by where they are. Cells are wider than support's largest radius, so that nine hold all around a place.
type places struct {
	across, down int
	starts       []int32 // of each cell's points, row by row, and the end of the last
	points       []int32
	found        []int32
}

const placeCell = 10

func placesOf(f *Features) *places {
	p := &places{across: f.Width/placeCell + 1, down: f.Height/placeCell + 1}
	p.starts, p.points = make([]int32, p.across*p.down+1), make([]int32, len(f.Points))
	cells := make([]int32, len(f.Points))
	for i := range f.Points {
		x, y := p.cell(float64(f.Points[i].X), float64(f.Points[i].Y))
		cells[i] = int32(y*p.across + x)
		p.starts[cells[i]]++
	}
	var end int32
	for c := range p.starts {
		end += p.starts[c]
		p.starts[c] = end
	}
	for i, c := range cells {
		p.starts[c]--
		p.points[p.starts[c]] = int32(i)
	}
	return p
}

func (p *places) cell(x, y float64) (int, int) {
	return min(max(int(x/placeCell), 0), p.across-1), min(max(int(y/placeCell), 0), p.down-1)
}

// around are the points of the cells at and next to a place, until the next call.
func (p *places) around(x, y float64) []int32 {
	p.found = p.found[:0]
	cx, cy := p.cell(x, y)
	left, right := max(cx-1, 0), min(cx+1, p.across-1)
	for row := max(cy-1, 0); row <= min(cy+1, p.down-1); row++ {
		p.found = append(p.found, p.points[p.starts[row*p.across+left]:p.starts[row*p.across+right+1]]...)
	}
	return p.found
}
