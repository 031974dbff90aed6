# Draws what `artillery_scale --columns` wrote: gnuplot -e "columns='FILE'" -e "image='FILE.svg'" plot.gp
set terminal svg size 1000,420 font "sans-serif,13" background "white"
set output image
set multiplot layout 1,2

set logscale x 2
set xtics (8, 16, 32, 64, 128, 256, 512, 1000, 2000, 5000) rotate by -45
set xlabel "members"
set grid ytics
set key top left reverse Left
set yrange [0:*]

set title "From a death until it is reported"
set ylabel "seconds"
plot columns using 1:4 with lines lc rgb "gray50" lw 2 title "first report, expected", \
     columns using 1:2 with linespoints pt 7 lc rgb "#1f77b4" title "first report, median", \
     columns using 1:5 with linespoints pt 6 lc rgb "#2ca02c" title "last report, median", \
     columns using 1:6 with points pt 2 lc rgb "#d62728" title "last report, longest"

set title "What an idle member sends"
set ylabel "bytes per second"
set key center right noreverse Right
plot columns using 1:8 with linespoints pt 7 lc rgb "#1f77b4" title "datagrams", \
     columns using 1:9 with linespoints pt 6 lc rgb "#ff7f0e" title "streams"

unset multiplot
