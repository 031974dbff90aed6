# Draws what `artillery_study --columns` wrote: gnuplot -e "columns='FILE'" -e "image='FILE.svg'" plot.gp
set terminal svg size 1200,1100 font "sans-serif,12" background "white" noenhanced
set output image
of(series, protocol) = sprintf("< awk '$1 == \"%s\" && $2 == \"%s\"' %s", series, protocol, columns)
# A logarithm has no zero: none is drawn as a tenth.
counted(x) = x > 0 ? x : 0.1
names = "swim lifeguard whole"
titles = "'SWIM alone' 'with Lifeguard' 'with everything'"
colours = "#d62728 #1f77b4 #2ca02c"
set style data linespoints
set pointsize 0.6
set grid
set multiplot layout 3,3

set logscale y
set yrange [0.1:*]
set ytics add ("0" 0.1)
set key top left reverse Left
set title "Healthy members held for dead, in an hour"
set xlabel "datagrams lost, frames that break a stream, %"
plot for [i=1:3] of("loss_of_all", word(names, i)) using 3:(counted($4)) pt 7 lc rgb word(colours, i) title word(titles, i)
unset key
set title "Slow members held for dead, in an hour"
set xlabel "slow members of 32"
plot for [i=1:3] of("slow", word(names, i)) using 3:(counted($5)) pt 7 lc rgb word(colours, i)
set xlabel "suspicion_mult (4 of 32 slow, 10 % loss)"
plot for [i=1:3] of("suspicion", word(names, i)) using 3:(counted($5)) pt 7 lc rgb word(colours, i)

unset logscale y
set yrange [0:*]
set ytics auto
set title "First report of a death, median, s"
set xlabel "datagrams lost, frames that break a stream, %"
plot for [i=1:3] of("loss_of_all", word(names, i)) using 3:6 pt 7 lc rgb word(colours, i)
set xlabel "slow members of 32"
plot for [i=1:3] of("slow", word(names, i)) using 3:6 pt 7 lc rgb word(colours, i)
set xlabel "suspicion_mult (4 of 32 slow, 10 % loss)"
plot for [i=1:3] of("suspicion", word(names, i)) using 3:6 pt 7 lc rgb word(colours, i)

set title "Datagrams of a member in a second"
set xlabel "mean delay of messages of 4 of 32, ms"
set xtics 1000
plot for [i=1:3] of("late", word(names, i)) using 3:9 pt 7 lc rgb word(colours, i)
set xlabel "helpers asked (25 % loss of all)"
set xtics auto
plot for [i=1:3] of("helpers", word(names, i)) using 3:9 pt 7 lc rgb word(colours, i)
set title "Slow members held for dead, in an hour"
set xlabel "members (an eighth slow, 10 % loss)"
set logscale xy 2
set logscale y 10
set yrange [0.1:*]
set xtics (8, 16, 32, 64, 128, 256)
set ytics add ("0" 0.1)
plot for [i=1:3] of("size", word(names, i)) using 3:(counted($5)) pt 7 lc rgb word(colours, i)
unset multiplot
