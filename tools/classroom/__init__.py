"""An instructor's kit from the chapters: what `python tools/classroom.py` does.

kit.py         make: the whole kit, moved to its place when it is complete
plan.py        the plan, read and checked
chapters.py    a chapter as cells, and which of them a plan needs
notebooks.py   student's and instructor's notebooks
grading.py     what a graded class adds to an exercise
assignments.py a graded class as a course folder of nbgrader
slides.py      slides
pages.py       the student's book, schedule, rubric, instructions
handout.py     a plan without the instructor's notes
text.py        a plan's words, made safe for where they are written
"""
