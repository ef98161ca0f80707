package main

// source is what one package brings to one part.
type source struct {
	part, kind, pkg string
	within          string // regular expression that the path of a file in the package matches
	without         string // and one that it does not: other forms of a picture that is there already, such as thumbnails, are copies of it
}

func (s source) folder() string { return s.part + "/" + s.kind + "-" + s.pkg }

// sources are the packages of Debian 12. A package is in one part only.
var sources = []source{
	{"train", "photograph", "gnome-backgrounds", `backgrounds/gnome`, ``},
	{"train", "photograph", "ukui-wallpapers", `share/backgrounds`, ``},
	{"train", "photograph", "plasma-workspace-wallpapers", `contents/images/`, ``},
	{"train", "screenshot", "gnome-user-docs", `help/(C|de|ja)/.*figures`, ``},
	{"train", "screenshot", "marble-data", `HTML/(en|uk)/marble`, ``},
	{"train", "screenshot", "parley-data", `HTML/en/parley`, ``},
	{"train", "page", "r-doc-pdf", `\.pdf$`, ``},
	{"train", "page", "lyx-common", `\.pdf$`, ``},
	{"train", "chart", "maxima-doc", `html/figures`, ``},
	{"train", "chart", "sagemath-doc", `html/en/reference/(plotting|plot3d)/.*\.png$`, ``},
	{"train", "drawing", "tuxpaint-stamps-default", `stamps/`, ``},
	{"train", "drawing", "warmux-data", `games/warmux`, ``},
	{"train", "drawing", "hedgewars-data", `Graphics/`, ``},
	{"train", "icon", "elementary-xfce-icon-theme", `/(64|96|128)/`, ``},
	{"train", "texture", "pingus-data", `data/images`, ``},
	{"train", "texture", "flightgear-data-base", `Textures/(Terrain|Runway)`, ``},
	{"train", "texture", "lincity-ng-data", `images/tiles`, ``},

	{"validation", "photograph", "mate-backgrounds", `backgrounds/mate`, ``},
	{"validation", "photograph", "stellarium-data", `nebulae/default`, ``},
	{"validation", "screenshot", "gnucash-docs", `help/C/gnucash-guide/figures`, ``},
	{"validation", "screenshot", "gnumeric-doc", `help/C/gnumeric/figures`, ``},
	{"validation", "screenshot", "debian-handbook", `html/en-US/images`, ``},
	{"validation", "page", "octave-doc", `\.pdf$`, `letter|legal`},
	{"validation", "page", "texlive-pictures-doc", `\.pdf$`, ``},
	{"validation", "chart", "python-pandas-doc", `_images`, ``},
	{"validation", "drawing", "wesnoth-1.16-data", `images/(portraits|story|attacks)`, ``},
	{"validation", "icon", "oxygen-icon-theme", `base/128x128`, ``},
	{"validation", "texture", "extremetuxracer-data", `games/etr`, ``},
	{"validation", "texture", "megaglest-data", `techs/`, ``},

	{"test", "photograph", "python3-skimage", `skimage/data`, ``},
	{"test", "screenshot", "gimp-help-en", `help/en/images/(dialogs|toolbox|tool-options|preferences)/[^/]*$`, `-ex`},
	{"test", "screenshot", "kicad-doc-en", `help/en/images/`, ``},
	{"test", "screenshot", "neverball-data", `neverball/shot-`, ``},
	{"test", "page", "lilypond-doc-pdf", `\.pdf$`, `preview`},
	{"test", "chart", "python-sklearn-doc", `html/_images`, `_thumb`},
	{"test", "map", "kgeography-data", `share/kgeography/[^/]*\.png$`, ``},
	{"test", "drawing", "openclipart-png", `openclipart/png`, ``},
	{"test", "icon", "gnome-icon-theme", `/256x256/`, ``},
	{"test", "texture", "supertuxkart-data", `data/(textures|tracks)`, ``},
}
