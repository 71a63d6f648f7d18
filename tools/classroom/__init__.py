"""An instructor's kit from the chapters: what `python tools/classroom.py` does.

kit.py         make: the whole kit, moved to its place when it is complete
filling.py     what is in the kit
plan.py        the plan, read and checked
chapters.py    a chapter as cells, and which of them a plan needs
cuts.py        what a text says of sections that are left out, taken out of it
links.py       where links to chapters lead
notebooks.py   student's and instructor's notebooks
grading.py     what a graded class adds to an exercise
assignments.py a graded class as a course folder of nbgrader
slides.py      slides
shortening.py  what of a text a slide shows
papers.py      syllabus, formulas, capstone, exam
gift.py        the quizzes, for a learning platform
schedule.py    the timetable, for students and for the instructor
pages.py       the student's book, rubric, instructions
for_students.py a plan without the instructor's notes
text.py        a plan's words, made safe for where they are written
"""
