# gnuplot -e "columns='failover.columns'" -e "image='bench/failover.svg'" bench/failover/plot.gp
set terminal svg size 900,420 background "white" font "sans,12"
set output image
set style data boxplot
set style boxplot nooutliers
set style fill solid 0.3 border
set ylabel "longest gap in acknowledged writes, ms"
set yrange [0:*]
set grid ytics
set key off
set xtics ("kill head" 1, "kill middle" 2, "kill tail" 3, "leave head" 4, "leave middle" 5, "leave tail" 6)
pick(how, place) = sprintf("< awk '$1 == \"%s\" && $2 == \"%s\" { print $6 }' %s", how, place, columns)
plot pick("killed", "head") using (1):1, pick("killed", "middle") using (2):1, pick("killed", "tail") using (3):1, \
     pick("left", "head") using (4):1, pick("left", "middle") using (5):1, pick("left", "tail") using (6):1
